//! A bare actix-web server: what HTTP alone costs. It reads the request, checks nothing, and answers a constant.

use crate::Result;
use crate::process::{Process, command};
use crate::service::{free_port, wait_until_ready};
use actix_web::{App, HttpResponse, HttpServer, web};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Serves an answer of so many bytes to whatever is asked.
pub(crate) async fn serve(address: SocketAddr, size: usize) -> Result<()> {
    let filling = "x".repeat(size.saturating_sub(11));
    let answer = web::Bytes::from(format!(r#"{{"data":"{filling}"}}"#));
    let server = HttpServer::new(move || {
        let answer = answer.clone();
        let handler = move |_: web::Bytes| {
            let answer = answer.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(answer) }
        };
        App::new()
            .app_data(web::PayloadConfig::new(16 << 20))
            .default_service(web::to(handler))
    });
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    Ok(server.workers(workers).bind(address)?.run().await?)
}

/// Starts this program as such a server.
pub(crate) async fn start(size: usize, log: &Path) -> Result<(Process, SocketAddr)> {
    let address = free_port()?;
    let mut command = command(std::env::current_exe()?, None);
    command.args(["bare", &address.to_string(), &size.to_string()]);
    let mut process = Process::start(&mut command, log)?;
    wait_until_ready(&mut process, address, Duration::from_millis(2)).await?;
    Ok((process, address))
}
