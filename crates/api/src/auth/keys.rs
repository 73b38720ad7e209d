//! The Ed25519 keys that sign access tokens, kept in a folder that all instances share.
//!
//! A key's name is a UUID version 7, so its age stands in its name and needs no second file. A new key is published
//! at once, signs after [`PUBLISHED_BEFORE_USE`], and is taken until no token that it signed can be alive.

use super::tokens::{LEEWAY, LONGEST_LIFE};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use sql::Timestamp;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long the next key is published before it signs: caches of the key set have seen it by then.
pub const PUBLISHED_BEFORE_USE: Duration = Duration::from_mins(15);

/// How often the folder is read again.
pub const REREAD_AFTER: Duration = Duration::from_secs(5);

/// The least time between two readings that an unknown key id asks for.
const REREAD_AT_MOST: Duration = Duration::from_secs(1);

const SEED_FILE: &str = "refresh.seed";
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// What can be wrong with the folder of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot use the key file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not a key.
    #[error("{0} is not an Ed25519 private key in PKCS#8 PEM, named by a UUID")]
    Malformed(PathBuf),
    /// No key could be made.
    #[error("the system gave no random numbers for a new key")]
    NoRandomness,
}

/// One key pair.
pub struct Key {
    /// Its name in token headers and in the key set.
    pub id: String,
    created: Duration,
    public: String,
    signer: EncodingKey,
    verifier: DecodingKey,
}

impl Key {
    /// What signs.
    pub fn signer(&self) -> &EncodingKey {
        &self.signer
    }

    /// What verifies.
    pub fn verifier(&self) -> &DecodingKey {
        &self.verifier
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed(path.to_owned());
        let id: Uuid = path
            .file_stem()
            .and_then(|name| name.to_str()?.parse().ok())
            .ok_or_else(malformed)?;
        let (seconds, nanos) = id.get_timestamp().ok_or_else(malformed)?.to_unix();
        let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        let der = from_pem(&text).ok_or_else(malformed)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| malformed())?;
        let public = pair.public_key().as_ref();
        Ok(Self {
            id: id.to_string(),
            created: Duration::new(seconds, nanos),
            public: URL_SAFE_NO_PAD.encode(public),
            signer: EncodingKey::from_ed_der(&der),
            verifier: DecodingKey::from_ed_der(public),
        })
    }

    /// Makes a key and writes it under its final name in one step, so that no reader sees half of it.
    fn make(folder: &Path) -> Result<String, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NoRandomness)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::NoRandomness)?;
        let id = Uuid::now_v7().to_string();
        write_secretly(&folder.join(format!("{id}.pem")), to_pem(der.as_ref()).as_bytes())?;
        Ok(id)
    }
}

/// A public key as RFC 8037 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublicKey {
    /// Key type: always `OKP`.
    pub kty: &'static str,
    /// Curve: always `Ed25519`.
    pub crv: &'static str,
    /// The public key.
    pub x: String,
    /// Its name in token headers.
    pub kid: String,
    /// What it is for: always `sig`.
    #[serde(rename = "use")]
    pub use_: &'static str,
    /// The only algorithm it is used with: always `EdDSA`.
    pub alg: &'static str,
}

/// The public keys (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeySet {
    /// Every key that a token may be signed with now or soon.
    pub keys: Vec<PublicKey>,
}

/// The keys of the folder, oldest first, and the seed of refresh tokens.
struct Content {
    keys: Vec<Arc<Key>>,
    seed: Arc<[u8]>,
    read_at: Instant,
}

/// The keys of this service.
pub struct KeyRing {
    folder: PathBuf,
    content: RwLock<Content>,
    rereading: Mutex<()>,
}

impl KeyRing {
    /// Reads the folder; makes it, and the first key, where there is none.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let folder = folder.into();
        make_folder(&folder)?;
        if key_files(&folder)?.is_empty() {
            Key::make(&folder)?;
        }
        make_seed(&folder)?;
        Ok(Self {
            content: RwLock::new(read(&folder)?),
            folder,
            rereading: Mutex::new(()),
        })
    }

    /// Adds the next key to a folder and removes those that no living token was signed with. Gives the new key's id.
    pub fn rotate(folder: impl Into<PathBuf>) -> Result<String, KeyError> {
        let ring = Self::open(folder)?;
        let now = since_epoch(Timestamp::now());
        let keys = ring.content().keys.clone();
        for (index, key) in keys.iter().enumerate() {
            if !is_alive(&keys, index, now) {
                let path = ring.folder.join(format!("{}.pem", key.id));
                fs::remove_file(&path).map_err(|source| file_error(&path, source))?;
            }
        }
        Key::make(&ring.folder)
    }

    /// The key that signs now: the newest that has been published long enough, or else the oldest.
    pub fn signing(&self, now: Timestamp) -> Option<Arc<Key>> {
        self.reread_when(REREAD_AFTER);
        let content = self.content();
        let now = since_epoch(now);
        let ready = content.keys.iter().rev().find(|key| signs_from(key) <= now);
        ready.or_else(|| content.keys.first()).cloned()
    }

    /// The key with this id, when it still counts.
    pub fn verifying(&self, id: &str, now: Timestamp) -> Option<Arc<Key>> {
        self.reread_when(REREAD_AFTER);
        self.find(id, now).or_else(|| {
            // Another instance may have made a key a moment ago.
            self.reread_when(REREAD_AT_MOST);
            self.find(id, now)
        })
    }

    /// The public keys, the next one included.
    pub fn published(&self, now: Timestamp) -> KeySet {
        self.reread_when(REREAD_AFTER);
        let content = self.content();
        let now = since_epoch(now);
        let alive = content
            .keys
            .iter()
            .enumerate()
            .filter(|(index, _)| is_alive(&content.keys, *index, now));
        let keys = alive.map(|(_, key)| PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            x: key.public.clone(),
            kid: key.id.clone(),
            use_: "sig",
            alg: "EdDSA",
        });
        KeySet { keys: keys.collect() }
    }

    /// The secret from which the successors of refresh tokens are derived.
    pub fn refresh_seed(&self) -> Arc<[u8]> {
        self.content().seed.clone()
    }

    /// Reads the folder again.
    pub fn reread(&self) -> Result<(), KeyError> {
        let content = read(&self.folder)?;
        if !content.keys.is_empty() {
            *self.content.write().unwrap_or_else(PoisonError::into_inner) = content;
        }
        Ok(())
    }

    fn find(&self, id: &str, now: Timestamp) -> Option<Arc<Key>> {
        let content = self.content();
        let index = content.keys.iter().position(|key| key.id == id)?;
        is_alive(&content.keys, index, since_epoch(now)).then(|| content.keys[index].clone())
    }

    /// Reads the folder when the last reading is older than this; one thread does, the others go on.
    fn reread_when(&self, age: Duration) {
        if self.content().read_at.elapsed() < age {
            return;
        }
        let Ok(_guard) = self.rereading.try_lock() else { return };
        if let Err(error) = self.reread() {
            tracing::error!(%error, "keys stay as they were");
            self.content.write().unwrap_or_else(PoisonError::into_inner).read_at = Instant::now();
        }
    }

    fn content(&self) -> std::sync::RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a key may begin to sign.
fn signs_from(key: &Key) -> Duration {
    key.created + PUBLISHED_BEFORE_USE
}

/// Whether a token signed with the key can still be alive: it signed until its successor took over.
fn is_alive(keys: &[Arc<Key>], index: usize, now: Duration) -> bool {
    keys.get(index + 1)
        .is_none_or(|successor| now <= signs_from(successor) + LONGEST_LIFE + LEEWAY)
}

fn since_epoch(now: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(now.micros()).unwrap_or_default())
}

fn read(folder: &Path) -> Result<Content, KeyError> {
    let mut keys = Vec::new();
    for path in key_files(folder)? {
        keys.push(Arc::new(Key::read(&path)?));
    }
    keys.sort_by(|left, right| left.id.cmp(&right.id));
    let seed = folder.join(SEED_FILE);
    Ok(Content {
        keys,
        seed: fs::read(&seed).map_err(|source| file_error(&seed, source))?.into(),
        read_at: Instant::now(),
    })
}

fn key_files(folder: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, source))? {
        let path = entry.map_err(|source| file_error(folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            files.push(path);
        }
    }
    Ok(files)
}

fn make_seed(folder: &Path) -> Result<(), KeyError> {
    let path = folder.join(SEED_FILE);
    if path.exists() {
        return Ok(());
    }
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| KeyError::NoRandomness)?;
    write_secretly(&path, &seed)
}

fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| file_error(folder, source))
}

/// Writes a file that only its owner may read, whole or not at all. One that stands there already wins.
fn write_secretly(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    let draft = path.with_extension(format!("{}.draft", Uuid::now_v7().simple()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    // A hard link, unlike a rename, never replaces: of two instances that start together the first one's seed stays.
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    });
    // Also after a failure; what went wrong before matters more than whether the draft could be removed.
    let removed = fs::remove_file(&draft);
    linked.and(removed).map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        source,
    }
}

fn to_pem(der: &[u8]) -> String {
    format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(der))
}

fn from_pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(PEM_BEGIN)?;
    let (body, _) = rest.split_once(PEM_END)?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
