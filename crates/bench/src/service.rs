//! A Rapport server to be measured: started, filled, asked.

use crate::process::{Memory, Process, command, output};
use crate::requests::Request;
use crate::{Failure, Result};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its data folder.
    pub(crate) folder: PathBuf,
    /// Its database.
    pub(crate) database_url: String,
    address: SocketAddr,
}

impl Settings {
    /// A server of its own folder, on a port that is free.
    pub(crate) fn new(program: &Path, folder: PathBuf, database_url: String) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            program: program.to_owned(),
            folder,
            database_url,
            address: free_port()?,
        })
    }

    fn command(&self) -> Command {
        let mut command = command(&self.program, None);
        command
            .env("DATABASE_URL", &self.database_url)
            .env("RAPPORT_DATA_DIR", &self.folder)
            .env("RAPPORT_BIND", self.address.to_string())
            .env("RAPPORT_LOG", "warn")
            .current_dir(&self.folder);
        command
    }

    /// How long it takes from the start of the process until it is ready.
    pub(crate) async fn time_to_ready(&self) -> Result<Duration> {
        let started = Instant::now();
        let process = self.launch().await?;
        let elapsed = started.elapsed();
        process.stop().await?;
        Ok(elapsed)
    }

    async fn launch(&self) -> Result<Process> {
        let mut process = Process::start(self.command().arg("serve"), &self.folder.join("server.log"))?;
        wait_until_ready(&mut process, self.address, Duration::from_millis(2)).await?;
        Ok(process)
    }
}

/// How many records of each kind a server is filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) customers: u64,
    pub(crate) opportunities: u64,
    pub(crate) interactions: u64,
    pub(crate) tickets: u64,
}

/// A running server.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) token: String,
    process: Process,
    http: reqwest::Client,
}

impl Service {
    pub(crate) async fn start(settings: Settings) -> Result<Self> {
        let process = settings.launch().await?;
        let token = output(settings.command().args(["token", "--role", "admin", "--ttl", "86400"])).await?;
        Ok(Self {
            settings,
            token: token.trim().to_owned(),
            process,
            http: reqwest::Client::builder().timeout(Duration::from_mins(1)).build()?,
        })
    }

    /// Fills it by `rapport generate`, and tells what that reported.
    pub(crate) async fn fill(&self, sizes: Sizes) -> Result<String> {
        let mut command = self.settings.command();
        command
            .env("RAPPORT_TOKEN", &self.token)
            .env("RAPPORT_URL", self.url())
            .args(["generate", "--seed", "1"]);
        for (option, count) in [
            ("--customers", sizes.customers),
            ("--opportunities", sizes.opportunities),
            ("--interactions", sizes.interactions),
            ("--tickets", sizes.tickets),
        ] {
            command.args([option, &count.to_string()]);
        }
        output(&mut command).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.settings.address
    }

    fn url(&self) -> String {
        format!("http://{}", self.settings.address)
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    pub(crate) async fn stop(self) -> Result<Settings> {
        self.process.stop().await?;
        Ok(self.settings)
    }

    /// Sends one request and gives its answer, which must be a success.
    pub(crate) async fn send(&self, request: &Request) -> Result<String> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let mut sent = self
            .http
            .request(method, format!("{}{}", self.url(), request.path))
            .bearer_auth(&self.token);
        if let Some(version) = &request.if_match {
            sent = sent.header("If-Match", version);
        }
        if !request.body.is_empty() {
            sent = sent
                .header("Content-Type", "application/json")
                .body(request.body.clone());
        }
        let answer = sent.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(format!("{} {}: {status} {text}", request.method, request.path).into())
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.send(&Request::get(path)).await?)?)
    }
}

/// A port of this machine that nobody listens on.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Asks until the answer is a success.
pub(crate) async fn wait_until_ready(process: &mut Process, address: SocketAddr, every: Duration) -> Result<()> {
    let started = Instant::now();
    while !is_ready(address) {
        process.still_runs()?;
        if started.elapsed() > Duration::from_mins(2) {
            return Err(Failure::from(format!("nothing answers at {address}")));
        }
        tokio::time::sleep(every).await;
    }
    Ok(())
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start)
    };
    ask().is_ok_and(|start| &start == b"HTTP/1.1 200")
}
