//! Passwords: what may be one, and Argon2id off the async threads, so many at once as there are cores.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::Fault;
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// The fewest bytes of a password.
pub const SHORTEST: usize = 8;
/// The most bytes of a password.
pub const LONGEST: usize = 1024;

const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const QUEUE: usize = 64;

/// Passwords that guessers try first. Shorter ones than [`SHORTEST`] need no list.
static COMMONEST: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password in clear text, on its way from a request to its hash. Never printed, stored or logged.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 1024, examples("correct horse battery staple"))]
pub struct Password(String);

impl Password {
    /// Takes a clear text as a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The fault that keeps it from being chosen; the fault does not repeat it.
    pub fn fault(&self, pointer: &str) -> Option<Fault> {
        let bytes = self.0.len();
        if bytes < SHORTEST {
            return Some(Fault::new(
                pointer,
                "too_short",
                format!("must have at least {SHORTEST} bytes"),
            ));
        }
        if bytes > LONGEST {
            return Some(Fault::new(
                pointer,
                "too_long",
                format!("must have at most {LONGEST} bytes"),
            ));
        }
        if self.0.contains('\0') {
            return Some(Fault::new(pointer, "invalid_characters", "must not contain U+0000"));
        }
        let common = COMMONEST.contains(self.0.to_lowercase().as_str());
        common.then(|| Fault::new(pointer, "too_common", "is among the passwords that are guessed first"))
    }

    /// What is hashed. Nobody can have chosen a longer one, so the rest of a longer one need not be hashed.
    fn bytes(&self) -> &[u8] {
        let bytes = self.0.as_bytes();
        &bytes[..bytes.len().min(LONGEST + 1)]
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password was neither hashed nor compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords are being checked at the moment")]
    Overloaded,
    /// The hash could not be computed.
    #[error("the password could not be hashed")]
    Failed,
}

/// Hashes and compares passwords.
pub struct Passwords {
    /// Who runs or waits.
    admitted: Arc<Semaphore>,
    /// Who runs.
    running: Arc<Semaphore>,
    /// The memory of those who ran, for those who will. Freed and taken anew it would pile up, thread by thread.
    memory: Arc<Mutex<Vec<Memory>>>,
    /// What no password has as its hash, compared with where there is no user: both cost the same.
    decoy: Arc<str>,
}

/// What one computation works in: 19 MiB.
type Memory = Vec<Block>;

impl Passwords {
    /// For so many at once as there are cores.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cores(std::thread::available_parallelism().map_or(1, Into::into))
    }

    /// For so many at once.
    pub fn with_cores(cores: usize) -> Result<Self, PasswordError> {
        // Drawn, not computed: the memory of a computation would stay with a process that nobody logs in to.
        let drawn = Output::new(&rand::random::<[u8; HASH_BYTES]>()).map_err(|_| PasswordError::Failed)?;
        let decoy = phc(&params()?, Salt::generate(), drawn)?;
        Ok(Self {
            admitted: Arc::new(Semaphore::new(cores + QUEUE)),
            running: Arc::new(Semaphore::new(cores)),
            memory: Arc::default(),
            decoy: decoy.into(),
        })
    }

    /// The Argon2id string of a password.
    pub async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        self.run(move |memory| hash(password.bytes(), memory)).await?
    }

    /// Whether a password is the one of this hash. Without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| self.decoy.clone(), Into::into);
        let matches = self.run(move |memory| matches(password.bytes(), &hash, memory)).await?;
        Ok(known && matches)
    }

    /// Runs the work on a thread that may block; the permits go with it, so a caller who hangs up frees nothing early.
    async fn run<T, F>(&self, work: F) -> Result<T, PasswordError>
    where
        F: FnOnce(&mut Memory) -> T + Send + 'static,
        T: Send + 'static,
    {
        let admission = self.admitted.clone().try_acquire_owned();
        let admission = admission.map_err(|_| PasswordError::Overloaded)?;
        let turn = self.running.clone().acquire_owned().await;
        let turn = turn.map_err(|_| PasswordError::Failed)?;
        let pool = self.memory.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let mut memory = pool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()
                .unwrap_or_default();
            let result = work(&mut memory);
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            drop((turn, admission));
            result
        });
        outcome.await.map_err(|_| PasswordError::Failed)
    }
}

/// The Argon2id string of a password, with a new salt.
fn hash(password: &[u8], memory: &mut Memory) -> Result<String, PasswordError> {
    let params = params()?;
    let salt = Salt::generate();
    let output = compute(password, &salt, &params, memory).ok_or(PasswordError::Failed)?;
    phc(&params, salt, output)
}

fn params() -> Result<Params, PasswordError> {
    Params::new(MEMORY_KIB, ITERATIONS, LANES, Some(HASH_BYTES)).map_err(|_| PasswordError::Failed)
}

/// A hash in the PHC string format.
fn phc(params: &Params, salt: Salt, output: Output) -> Result<String, PasswordError> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().map_err(|_| PasswordError::Failed)?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Whether a password has this Argon2id string. The comparison takes the same time wherever they differ.
fn matches(password: &[u8], hash: &str, memory: &mut Memory) -> bool {
    let mut computed = || {
        let hash = PasswordHash::new(hash).ok()?;
        let argon2id = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
        let params = Params::try_from(&hash).ok().filter(|_| argon2id)?;
        Some(compute(password, &hash.salt?, &params, memory)? == hash.hash?)
    };
    computed().unwrap_or(false)
}

fn compute(password: &[u8], salt: &Salt, params: &Params, memory: &mut Memory) -> Option<Output> {
    let mut output = [0; HASH_BYTES];
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut output, memory.get_mut(..blocks)?)
        .ok()?;
    Output::new(&output).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_in_bytes_and_the_commonest_are_refused() {
        let code = |text: &str| Password::new(text).fault("/password").map(|fault| fault.code);
        assert_eq!(code("1234567").as_deref(), Some("too_short"));
        assert_eq!(code("éééé"), None, "eight bytes");
        assert_eq!(code(&"a1".repeat(512)), None);
        assert_eq!(code(&"a1".repeat(513)).as_deref(), Some("too_long"));
        assert_eq!(code("null\0null").as_deref(), Some("invalid_characters"));
        for common in ["password", "Password1", "12345678", "QWERTYUIOP", "iloveyou"] {
            assert_eq!(code(common).as_deref(), Some("too_common"), "{common}");
        }
        assert_eq!(code("correct horse battery"), None);
    }

    #[test]
    fn the_list_is_in_the_form_that_is_looked_up() {
        assert!(COMMONEST.len() >= 300, "{}", COMMONEST.len());
        for common in COMMONEST.iter() {
            assert_eq!(*common, common.trim().to_lowercase());
            assert!(common.len() >= SHORTEST, "{common} needs no list");
        }
    }

    #[test]
    fn a_password_does_not_print_itself() {
        assert_eq!(format!("{:?}", Password::new("hunter2hunter2")), "Password(…)");
        let fault = Password::new("password").fault("/password").unwrap();
        assert!(!fault.message.contains("password "), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::with_cores(2).unwrap();
        let hash = passwords.hash(Password::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (text, hash, expected) in [
            ("correct horse", Some(hash.clone()), true),
            ("correct horsf", Some(hash.clone()), false),
            ("", Some(hash), false),
            ("correct horse", Some("not a hash".into()), false),
            ("correct horse", None, false),
        ] {
            assert_eq!(
                passwords.verify(Password::new(text), hash).await.unwrap(),
                expected,
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn where_there_is_no_user_the_work_is_the_same() {
        let passwords = Passwords::with_cores(1).unwrap();
        let hash = passwords.hash(Password::new("correct horse")).await.unwrap();
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).unwrap().to_owned();
        assert_eq!(cost(&passwords.decoy), cost(&hash));
        assert_eq!(passwords.decoy.len(), hash.len());
    }

    #[tokio::test]
    async fn a_flood_waits_in_a_bounded_queue() {
        let passwords = Arc::new(Passwords::with_cores(2).unwrap());
        let tasks: Vec<_> = (0..2 + QUEUE + 10)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(Password::new("flood flood"), None).await })
            })
            .collect();
        let mut refused = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(matches) => assert!(!matches),
                Err(error) => {
                    assert_eq!(error, PasswordError::Overloaded);
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 10);
        assert!(passwords.verify(Password::new("afterwards"), None).await.is_ok());
    }
}
