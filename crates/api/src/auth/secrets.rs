//! Random secrets that a machine keeps: API secrets, refresh tokens, generated passwords.
//!
//! Each names its tenant, so that it is found by key, and ends in a checksum, so that a typing error or a scanner's
//! false find is told without a look at the database. Only its SHA-256 is stored.

use aws_lc_rs::hmac;
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};
use sql::ids::TenantId;
use std::fmt;
use uuid::Uuid;

const RANDOM_BYTES: usize = 32;
const TENANT_BYTES: usize = 16;
const BODY_BYTES: usize = RANDOM_BYTES + TENANT_BYTES;
const CHECKSUM_BYTES: usize = 4;
const ALL_BYTES: usize = BODY_BYTES + CHECKSUM_BYTES;
/// 52 bytes are 416 bits, and 70 digits of 62 values hold 416.8.
const DIGITS: usize = 70;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a secret is for; stands in front of it, so that scanners find leaked ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A service account proves who it is.
    Api,
    /// A session gets its next access token.
    Refresh,
    /// A calendar program reads a user's calendar.
    Calendar,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "rap_",
            Self::Refresh => "rar_",
            Self::Calendar => "rac_",
        }
    }
}

/// A secret in clear text. Shown once to who shall keep it; never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    tenant: TenantId,
}

impl Secret {
    /// A new one, of 256 random bits.
    pub fn generate(purpose: Purpose, tenant: TenantId) -> Self {
        Self::of(purpose, tenant, &random())
    }

    /// Reads one; none when the form or the checksum is wrong.
    pub fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let digits = text.strip_prefix(purpose.prefix())?;
        let bytes = from_base62(digits)?;
        let (body, checksum) = bytes.split_at(BODY_BYTES);
        let tenant = Uuid::from_slice(&body[RANDOM_BYTES..]).ok()?;
        (checksum == &checksum_of(purpose, body)[..]).then(|| Self {
            text: text.to_owned(),
            tenant: tenant.into(),
        })
    }

    /// The refresh token that replaces this one. The same token always has the same successor, so that a client that
    /// lost the answer gets it again; without the seed nobody can tell one from the other.
    #[must_use]
    pub fn successor(&self, seed: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
        let mut random = [0; RANDOM_BYTES];
        random.copy_from_slice(hmac::sign(&key, self.text.as_bytes()).as_ref());
        Self::of(Purpose::Refresh, self.tenant, &random)
    }

    /// The tenant it belongs to.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What is stored of it: its SHA-256, in hexadecimal. With 256 random bits a slow hash would add nothing.
    pub fn hash(&self) -> String {
        hex_sha256(self.text.as_bytes())
    }

    /// Its first characters, by which its owner tells it from others.
    pub fn hint(&self) -> &str {
        &self.text[..10]
    }

    /// The clear text, to hand it over.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    fn of(purpose: Purpose, tenant: TenantId, random: &[u8; RANDOM_BYTES]) -> Self {
        let mut bytes = [0; ALL_BYTES];
        bytes[..RANDOM_BYTES].copy_from_slice(random);
        bytes[RANDOM_BYTES..BODY_BYTES].copy_from_slice(tenant.0.as_bytes());
        let checksum = checksum_of(purpose, &bytes[..BODY_BYTES]);
        bytes[BODY_BYTES..].copy_from_slice(&checksum);
        Self {
            text: format!("{}{}", purpose.prefix(), to_base62(bytes)),
            tenant,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.hint())
    }
}

/// A password to be shown once: 24 characters, 142 random bits.
pub fn generate_password() -> String {
    let mut rng = rand::rng();
    (0..24).map(|_| char::from(ALPHABET[rng.random_range(0..62)])).collect()
}

/// The SHA-256 of something, in hexadecimal.
pub fn hex_sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn random() -> [u8; RANDOM_BYTES] {
    let mut bytes = [0; RANDOM_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn checksum_of(purpose: Purpose, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new()
        .chain_update(purpose.prefix())
        .chain_update(body)
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Writes bytes, taken as one number, in digits of 62 values: no sign that ends a word when it is double-clicked.
fn to_base62(mut number: [u8; ALL_BYTES]) -> String {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u16;
        for byte in &mut number {
            let value = (rest << 8) | u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            rest = value % 62;
        }
        *digit = ALPHABET[usize::from(rest)];
    }
    digits.iter().copied().map(char::from).collect()
}

fn from_base62(text: &str) -> Option<[u8; ALL_BYTES]> {
    if text.len() != DIGITS {
        return None;
    }
    let mut number = [0_u8; ALL_BYTES];
    for digit in text.bytes() {
        let position = ALPHABET.iter().position(|known| *known == digit)?;
        let mut carry = u16::try_from(position).ok()?;
        for byte in number.iter_mut().rev() {
            let value = u16::from(*byte) * 62 + carry;
            *byte = value.to_be_bytes()[1];
            carry = value >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_with_its_tenant() {
        let tenant = TenantId::new();
        for purpose in [Purpose::Api, Purpose::Refresh, Purpose::Calendar] {
            let secret = Secret::generate(purpose, tenant);
            let read = Secret::parse(purpose, secret.reveal()).unwrap();
            assert_eq!(read.tenant(), tenant);
            assert_eq!(read.hash(), secret.hash());
            assert_eq!(secret.reveal().len(), 74);
        }
    }

    #[test]
    fn a_changed_secret_is_told_by_its_form() {
        let secret = Secret::generate(Purpose::Api, TenantId::new());
        let text = secret.reveal();
        let swapped = if text.ends_with('0') { "1" } else { "0" };
        for wrong in [
            "",
            "rap_",
            &text[..73],
            &format!("{text}0"),
            &format!("{}{swapped}", &text[..73]),
            &format!("rap_{}", "z".repeat(70)),
            &format!("{}é", &text[..72]),
        ] {
            assert!(Secret::parse(Purpose::Api, wrong).is_none(), "{wrong}");
        }
        assert!(
            Secret::parse(Purpose::Refresh, text).is_none(),
            "an API secret is no refresh token"
        );
        assert!(Secret::parse(Purpose::Refresh, &text.replace("rap_", "rar_")).is_none());
    }

    #[test]
    fn numbers_keep_their_leading_zeros() {
        let mut bytes = [0; ALL_BYTES];
        assert_eq!(from_base62(&to_base62(bytes)), Some(bytes));
        bytes[ALL_BYTES - 1] = 61;
        assert_eq!(from_base62(&to_base62(bytes)), Some(bytes));
        assert_eq!(from_base62(&to_base62([255; ALL_BYTES])), Some([255; ALL_BYTES]));
    }

    #[test]
    fn a_refresh_token_has_one_successor_which_needs_the_seed() {
        let token = Secret::generate(Purpose::Refresh, TenantId::new());
        let next = token.successor(b"seed");
        assert_eq!(token.successor(b"seed"), next);
        assert_eq!(next.tenant(), token.tenant());
        assert_ne!(token.successor(b"other"), next);
        assert_ne!(next.successor(b"seed"), next);
        assert!(Secret::parse(Purpose::Refresh, next.reveal()).is_some());
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::generate(Purpose::Api, TenantId::new());
        assert!(format!("{secret:?}").len() < 25);
    }

    #[test]
    fn generated_passwords_differ() {
        assert_eq!(generate_password().len(), 24);
        assert_ne!(generate_password(), generate_password());
    }
}
