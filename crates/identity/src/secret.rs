//! Random secrets (API tokens, login links) and how they are looked up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// What an API token begins with, so that scanners find leaked ones.
pub const TOKEN_PREFIX: &str = "pst_";
const SECRET_BYTES: usize = 32;
/// 32 bytes in base64url without padding.
const SECRET_CHARS: usize = 43;

/// The system gave no randomness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct RandomError;

/// A secret text. It cannot be printed, compared or serialised by accident: [`Secret::expose`] is
/// the only way out.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret from outside, for example from a request or a file.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new API token: `pst_` and 43 characters.
    ///
    /// # Errors
    /// [`RandomError`] when the system gives no randomness.
    pub fn token() -> Result<Self, RandomError> {
        random().map(|text| Self(format!("{TOKEN_PREFIX}{text}")))
    }

    /// A new login-link secret: 43 characters.
    ///
    /// # Errors
    /// [`RandomError`] when the system gives no randomness.
    pub fn login_link() -> Result<Self, RandomError> {
        random().map(Self)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 in lower-case hex: what is stored and looked up. Enough for 256 random bits; not
    /// for passwords.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }

    /// Whether the text has the shape of a login-link secret; others need no look-up.
    pub fn is_login_link(&self) -> bool {
        is_random(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The look-up hash of a bearer token; `None` when the text does not have the shape of one.
pub fn token_hash(bearer: &str) -> Option<String> {
    bearer
        .strip_prefix(TOKEN_PREFIX)
        .is_some_and(is_random)
        .then(|| hash(bearer))
}

/// Compares without telling by the time taken where two texts differ; their lengths may be told.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn random() -> Result<String, RandomError> {
    let mut bytes = [0u8; SECRET_BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| RandomError)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn is_random(text: &str) -> bool {
    text.len() == SECRET_CHARS
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_found_by_their_hash() {
        let (a, b) = (Secret::token().unwrap(), Secret::token().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.expose().len(), 47);
        assert_eq!(token_hash(a.expose()), Some(a.hash()));
        assert!(Secret::login_link().unwrap().is_login_link());
        assert!(!a.is_login_link());
    }

    #[test]
    fn the_hash_is_plain_sha_256() {
        assert_eq!(
            Secret::new("abc").hash(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn other_shapes_are_not_looked_up() {
        let good = Secret::token().unwrap();
        for bad in [
            String::new(),
            "pst_".into(),
            good.expose()[4..].to_owned(),
            format!("{}x", good.expose()),
            format!("pst_{}", "é".repeat(43)),
            format!("PST_{}", &good.expose()[4..]),
        ] {
            assert_eq!(token_hash(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(Secret(…))");
    }

    #[test]
    fn equality_is_exact() {
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"abcd"));
    }
}
