//! Opaque, signed cursors: a client can neither read nor forge where it stands.

use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use std::sync::Arc;

/// Bytes of the signature that are kept: enough against guessing, short in a URL.
const SIGNATURE: usize = 12;

/// Signs cursors. All instances of a service share it.
#[derive(Clone)]
pub struct CursorKey(Arc<[u8]>);

impl CursorKey {
    /// From secret bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// Seals a place for one tenant and one purpose (the list and its sort, the feed).
    pub(crate) fn seal(&self, bound_to: &str, place: &impl Serialize) -> Result<String, Problem> {
        let json = serde_json::to_vec(place).map_err(|error| Problem::internal(&error.to_string()))?;
        let signature = self.sign(bound_to, &json)?;
        Ok(URL_SAFE_NO_PAD.encode([&signature[..], &json].concat()))
    }

    /// Opens a sealed place; a cursor of another list, tenant or service is refused.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        bound_to: &str,
        parameter: &str,
        cursor: &str,
    ) -> Result<T, Problem> {
        let refused = || {
            Problem::parameter(
                parameter,
                "invalid_cursor",
                "is not a cursor of this list with this sort and filter",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        let (signature, json) = bytes.split_at_checked(SIGNATURE).ok_or_else(refused)?;
        let expected = self.sign(bound_to, json)?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(signature, &expected[..])) {
            return Err(refused());
        }
        serde_json::from_slice(json).map_err(|_| refused())
    }

    fn sign(&self, bound_to: &str, json: &[u8]) -> Result<Vec<u8>, Problem> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        let mut mac = mac.map_err(|error| Problem::internal(&error.to_string()))?;
        mac.update(bound_to.as_bytes());
        mac.update(&[0]);
        mac.update(json);
        Ok(mac.finalize().into_bytes()[..SIGNATURE].to_vec())
    }
}
