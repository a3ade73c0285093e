//! Password hashing.
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::platform::error::ApiError;
use crate::platform::random;

/// Memory in KiB, passes and lanes: the first of OWASP's equivalent choices, and 34 ms of processor time in a Worker.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The hash of nothing anybody knows, made with [`COST`]. Verifying against it costs what verifying a real one does.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash to store, as a PHC string.
pub fn hash(password: &str) -> Result<String, ApiError> {
    let salt = random::bytes::<16>()?;
    let hash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(ApiError::internal)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that was hashed. Without a hash, takes as long and says no.
pub fn verify(hash: Option<&str>, password: &str) -> Result<bool, ApiError> {
    let stored = PasswordHash::new(hash.unwrap_or(DUMMY))
        .map_err(|error| ApiError::internal(format!("a stored password hash is broken: {error}")))?;
    let matches = argon2()?.verify_password(password.as_bytes(), &stored).is_ok();
    Ok(matches && hash.is_some())
}

fn argon2() -> Result<Argon2<'static>, ApiError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(ApiError::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let stored = hash("correct horse").unwrap();
        assert!(verify(Some(&stored), "correct horse").unwrap());
        assert!(!verify(Some(&stored), "correct horsf").unwrap());
        assert_ne!(stored, hash("correct horse").unwrap(), "every hash has its own salt");
    }

    #[test]
    fn the_cost_is_written_into_the_hash_and_the_dummy_has_the_same() {
        let prefix = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(hash("x").unwrap().starts_with(prefix));
        assert!(DUMMY.starts_with(prefix));
        assert_eq!(DUMMY.len(), hash("x").unwrap().len());
    }

    #[test]
    fn without_a_hash_no_password_is_right() {
        assert!(!verify(None, "").unwrap());
        assert!(verify(Some("not a hash"), "x").is_err());
    }
}
