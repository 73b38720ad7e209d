//! How the content of a document is taken in: checked, hashed and written as it arrives, with little of it in memory.

use crate::auth::secrets::hexadecimal;
use crate::limits::upload_deadline;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::customer::documents::NewContent;
use domain::customer::media_types::{MediaType, MediaTypes};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use sql::ids::{ObjectId, TenantId};
use std::time::Duration;
use store::Blobs;
use tokio::time::{Instant, timeout_at};

/// Where the content of documents is kept, and what is taken.
#[derive(Debug)]
pub struct Documents {
    /// The store of documents.
    pub blobs: Blobs,
    /// Bytes of the content of a document at most.
    pub max_bytes: u64,
    /// The media types that are taken.
    pub types: MediaTypes,
    /// How old content that belongs to no document must be to be removed.
    pub orphan_age: Duration,
}

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What the headers of an upload say about the body.
#[derive(Debug)]
pub(crate) struct Announced {
    content_type: MediaType,
    sha256: Option<Vec<u8>>,
}

impl Documents {
    /// Refuses what the headers show not to be taken, before the body is read.
    pub(crate) fn announced(&self, headers: &HeaderMap) -> Result<Announced, Problem> {
        let is_encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if headers.get(CONTENT_ENCODING).is_some_and(is_encoded) {
            let detail = "send the content as it is, without Content-Encoding";
            return Err(Problem::new("unsupported_media_type", detail));
        }
        if headers.contains_key(CONTENT_RANGE) {
            let message = "content is sent as a whole";
            return Err(Problem::parameter("Content-Range", "unsupported", message));
        }
        let content_type = match headers.get(CONTENT_TYPE) {
            None => MediaType::unknown(),
            Some(value) => value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                Problem::new(
                    "unsupported_media_type",
                    "Content-Type must be a media type such as application/pdf",
                )
            })?,
        };
        if !self.types.take(&content_type) {
            let detail = format!("documents of type {} are not taken", content_type.essence());
            return Err(Problem::new("unsupported_media_type", detail));
        }
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if length
            .and_then(|text| text.parse().ok())
            .is_some_and(|length: u64| length > self.max_bytes)
        {
            return Err(self.too_large());
        }
        let digests = headers.get_all(CONTENT_DIGEST).map(HeaderValue::to_str);
        let sha256: Result<Vec<_>, _> = digests.map(|value| value.map_or(Err(NoDigest), sha256_in)).collect();
        let malformed = |_| {
            let message = "must be as sha-256=:…: with the base64 of 32 bytes (RFC 9530)";
            Problem::parameter("Content-Digest", "invalid_value", message)
        };
        Ok(Announced {
            content_type,
            sha256: sha256.map_err(malformed)?.into_iter().flatten().next(),
        })
    }

    fn too_large(&self) -> Problem {
        Problem::new(
            "body_too_large",
            format!("a document may have {} bytes", self.max_bytes),
        )
    }

    /// Takes the body in. When this returns, what is kept is durable; unless it is to be kept, it is checked only.
    pub(crate) async fn receive(
        &self,
        tenant: TenantId,
        announced: Announced,
        payload: &mut Payload,
        keep: bool,
    ) -> Result<NewContent, Problem> {
        let object = ObjectId::new();
        let mut upload = keep.then(|| self.blobs.begin(tenant, object));
        let (mut hash, mut size, started) = (Sha256::new(), 0, Instant::now());
        while let Some(chunk) = next(payload, started + upload_deadline(size)).await? {
            size += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if size > self.max_bytes {
                return Err(self.too_large());
            }
            hash.update(&chunk);
            if let Some(upload) = &mut upload {
                upload.write(chunk).await?;
            }
        }
        if size == 0 {
            return Err(Problem::new("malformed_request", "the content is missing"));
        }
        let sha256 = hash.finalize();
        if announced.sha256.is_some_and(|announced| announced != sha256[..]) {
            let message = "is not the digest of what arrived";
            return Err(Problem::parameter("Content-Digest", "digest_mismatch", message));
        }
        if let Some(upload) = upload {
            upload.finish().await?;
        }
        Ok(NewContent {
            object,
            content_type: announced.content_type,
            size: i64::try_from(size).map_err(|_| self.too_large())?,
            sha256: hexadecimal(&sha256),
        })
    }
}

async fn next(payload: &mut Payload, deadline: Instant) -> Result<Option<Bytes>, Problem> {
    let slow = |_| Problem::new("request_timeout", "the content took too long to arrive");
    let chunk = timeout_at(deadline, payload.next()).await.map_err(slow)?;
    chunk
        .transpose()
        .map_err(|_| Problem::new("malformed_request", "the content broke off"))
}

/// A `Content-Digest` header that cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct NoDigest;

/// The SHA-256 among the digests of a `Content-Digest` header (RFC 9530 section 2), if there is one. Others are not
/// checked.
fn sha256_in(header: &str) -> Result<Option<Vec<u8>>, NoDigest> {
    let mut found = None;
    for digest in header.split(',') {
        let (algorithm, value) = digest.trim().split_once('=').ok_or(NoDigest)?;
        let value = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
        let value = STANDARD.decode(value.ok_or(NoDigest)?).map_err(|_| NoDigest)?;
        if algorithm == "sha-256" {
            found = Some(value).filter(|value| value.len() == 32);
            found.as_ref().ok_or(NoDigest)?;
        }
    }
    Ok(found)
}

/// As `Repr-Digest` tells a SHA-256 that is kept in hexadecimal.
pub(crate) fn digest_header(hexadecimal: &str) -> String {
    let byte = |start| u8::from_str_radix(hexadecimal.get(start..start + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..hexadecimal.len()).step_by(2).filter_map(byte).collect();
    format!("sha-256=:{}:", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_as_it_is_written() {
        let hash = Sha256::digest(b"content");
        let header = digest_header(&hexadecimal(&hash));
        assert_eq!(sha256_in(&header), Ok(Some(hash.to_vec())));
        assert_eq!(sha256_in(&format!("sha-512=:AAAA:, {header}")), Ok(Some(hash.to_vec())));
        assert_eq!(sha256_in("sha-512=:AAAA:"), Ok(None));
        for header in [
            "",
            "sha-256",
            "sha-256=AAAA",
            "sha-256=:AAAA:",
            "sha-256=:é:",
            "sha-256=:AAAA",
        ] {
            assert_eq!(sha256_in(header), Err(NoDigest), "{header}");
        }
    }

    #[test]
    fn content_may_take_longer_the_more_of_it_is_there() {
        assert_eq!(upload_deadline(0), crate::limits::BODY_DEADLINE);
        assert!(upload_deadline(25 << 20) > Duration::from_mins(20));
    }
}
