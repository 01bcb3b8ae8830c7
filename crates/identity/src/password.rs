//! Passwords: what is accepted, how one is stored and compared.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{Code, Failure};
use std::sync::OnceLock;

/// Characters of a password.
pub const MIN_CHARS: usize = 8;
pub const MAX_CHARS: usize = 128;

/// Argon2id costs: memory in KiB, passes, lanes.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The password could not be hashed; carries no part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("password hashing failed")]
pub struct HashError;

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a new password is acceptable. Length is all that is asked: rules about kinds of
/// characters make passwords predictable. Blanks at the ends count.
///
/// # Errors
/// A [`Failure`] with the argument `field`, for the form.
pub fn check(field: &str, password: &str) -> Result<(), Failure> {
    let chars = password.chars().count();
    if (MIN_CHARS..=MAX_CHARS).contains(&chars) {
        Ok(())
    } else {
        Err(Failure::new(Code::FieldInvalid)
            .with("field", field)
            .with("reason", format!("{MIN_CHARS}..{MAX_CHARS}")))
    }
}

/// The PHC string to store. Takes tens of milliseconds and 19 MiB: call it on a blocking thread.
///
/// # Errors
/// [`HashError`] when the system gives no randomness or memory.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hashed: PasswordHash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|_| HashError)?;
    Ok(hashed.to_string())
}

/// Whether `password` is the stored one. Does the same work when there is no stored one (an unknown
/// user, or one without a password), so that the time taken does not tell which names exist.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    static DECOY: OnceLock<String> = OnceLock::new();
    // A longer text cannot be anybody's password; it is not worth hashing as a whole.
    let fits = password.chars().take(MAX_CHARS + 1).count() <= MAX_CHARS;
    let (text, known) = match stored {
        Some(stored) if fits => (stored, true),
        _ => (
            DECOY
                .get_or_init(|| hash("no user has this password").unwrap_or_default())
                .as_str(),
            false,
        ),
    };
    let password = if fits { password } else { "" };
    let same = match (argon2(), PasswordHash::new(text)) {
        (Ok(argon2), Ok(parsed)) => argon2.verify_password(password.as_bytes(), &parsed).is_ok(),
        _ => false,
    };
    same && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_verified() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(stored, hash("correct horse").unwrap(), "salted");
        assert!(verify("correct horse", Some(&stored)));
        for wrong in ["", "correct horsE", "correct horse ", &"x".repeat(200)] {
            assert!(!verify(wrong, Some(&stored)), "{wrong}");
        }
        assert!(!verify("correct horse", Some("")));
        assert!(!verify("correct horse", Some("$argon2id$garbage")));
        assert!(!verify("no user has this password", None));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(check("password", "1234567").is_err());
        assert!(check("password", "12345678").is_ok());
        assert!(check("password", "密码密码密码密码").is_ok());
        assert!(check("password", &"é".repeat(128)).is_ok());
        assert!(check("password", &"é".repeat(129)).is_err());
    }
}
