//! Secrets at rest. What must only be recognised is stored as a digest; what must be shown again is sealed, too.
use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64ct::{Base64UrlUnpadded, Encoding};
use protocol::api::secret::Secret;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::random;

/// Length of an AES-GCM nonce in bytes. At 96 random bits, two of a billion sealed texts collide with a chance of 2⁻³⁷.
const NONCE: usize = 12;

/// The SHA-256 of a token in hex. Tokens have at least 192 random bits, so a fast digest is as good as a slow one.
pub fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// Whether a text is a secret, compared in a time that says nothing about it: digests of both are looked at to their ends.
pub fn is_same(given: &str, secret: &Secret) -> bool {
    let (given, secret) = (Sha256::digest(given), Sha256::digest(secret.expose()));
    given.iter().zip(&secret).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// The key that seals secrets.
#[derive(Clone)]
pub struct SealingKey(Key<Aes256Gcm>);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SealingKey {
    /// A key from 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes.into()))
    }

    /// Encrypts a secret with associated data that say where it is kept, such as `users.api_key:<id>`. It opens only with the
    /// same, so a sealed text copied into another row is worthless there.
    pub fn seal(&self, associated_data: &str, secret: &Secret) -> Result<String, ApiError> {
        let nonce: [u8; NONCE] = random::bytes()?;
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: associated_data.as_bytes(),
        };
        let sealed = Aes256Gcm::new(&self.0)
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| ApiError::internal(format!("cannot seal {associated_data}")))?;
        Ok(Base64UrlUnpadded::encode_string(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts what [`Self::seal`] gave with the same associated data.
    pub fn open(&self, associated_data: &str, sealed: &str) -> Result<Secret, ApiError> {
        self.try_open(associated_data, sealed).ok_or_else(|| {
            ApiError::internal(format!(
                "cannot open {associated_data}: SECRETS_KEY has changed, or the row was tampered with"
            ))
        })
    }

    /// The same, of what somebody has sent and that may be anything.
    pub fn try_open(&self, associated_data: &str, sealed: &str) -> Option<Secret> {
        let bytes = Base64UrlUnpadded::decode_vec(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: associated_data.as_bytes(),
        };
        let opened = Aes256Gcm::new(&self.0).decrypt(&Nonce::from(*nonce), payload).ok()?;
        Some(String::from_utf8(opened).ok()?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: &str) -> SealingKey {
        SealingKey::from_hex(&byte.repeat(32)).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_associated_data() {
        let sealed = key("0a")
            .seal("users.api_key:1", &"vsay_ak_x".to_owned().into())
            .unwrap();
        assert!(!sealed.contains("vsay"));
        assert_eq!(
            key("0a").open("users.api_key:1", &sealed).unwrap().expose(),
            "vsay_ak_x"
        );
    }

    #[test]
    fn a_sealed_secret_does_not_open_elsewhere_or_with_another_key_or_changed() {
        let sealed = key("0a")
            .seal("users.api_key:1", &"vsay_ak_x".to_owned().into())
            .unwrap();
        assert!(key("0a").open("users.api_key:2", &sealed).is_err());
        assert!(key("0b").open("users.api_key:1", &sealed).is_err());
        assert!(key("0a").open("users.api_key:1", &sealed[2..]).is_err());
        assert!(key("0a").open("users.api_key:1", "").is_err());
        assert!(key("0a").open("users.api_key:1", "not base64!").is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way_twice() {
        let seal = || key("0a").seal("p", &"s".to_owned().into()).unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_sealing_key_is_64_hex_digits() {
        for bad in ["", "0a", &"0a".repeat(31), &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(SealingKey::from_hex(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_text_is_a_secret_if_all_of_it_is() {
        let secret = Secret::from("vsay".to_owned());
        assert!(is_same("vsay", &secret));
        for other in ["", "vsa", "vsay ", "VSAY", "wsay"] {
            assert!(!is_same(other, &secret), "{other}");
        }
    }

    #[test]
    fn a_digest_is_sha256_in_hex() {
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
