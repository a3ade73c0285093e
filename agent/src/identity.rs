//! Who this machine is to the edge: an Ed25519 key that never leaves it. Each link is opened with a token signed afresh.
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions};
use protocol::ids::AgentId;
use serde::Serialize;
use thiserror::Error;

/// How long a token can open a link. Only clocks that differ make it matter; nothing else holds a token that long.
const TOKEN_LIFETIME_SECONDS: i64 = 60;

/// Whom the token is for.
const AUDIENCE: &str = "vsay-agent-connect";

/// Why there is no usable key.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file could not be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("key file {path} is open to others (mode {mode:o}); chmod 600 it, or run configure again for a new key")]
    Exposed {
        /// Which.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The file holds something else.
    #[error("key file {0} holds no Ed25519 private key in PKCS#8 PEM")]
    Malformed(String),
    /// The system's source of randomness failed.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// The machine's key pair.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct LinkClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    /// Makes it another token than that of the same second: each opens one link.
    jti: String,
}

impl Identity {
    /// A new key pair.
    pub fn generate() -> Result<Self, IdentityError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(IdentityError::Randomness)?;
        Ok(Self {
            key: SigningKey::from_bytes(&secret),
        })
    }

    /// Reads the key pair from a file that only its owner may read.
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let name = || path.display().to_string();
        let failed = |source| IdentityError::File { path: name(), source };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(IdentityError::Exposed { path: name(), mode });
        }
        let pem = fs::read_to_string(path).map_err(failed)?;
        SigningKey::from_pkcs8_pem(&pem)
            .map(|key| Self { key })
            .map_err(|_| IdentityError::Malformed(name()))
    }

    /// Writes the key pair to a file of mode 0600, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        let failed = |source| IdentityError::File {
            path: path.display().to_string(),
            source,
        };
        let pem = self
            .key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| failed(io::Error::other(error)))?;
        write_private(path, pem.as_bytes()).map_err(failed)
    }

    /// The public key as it travels: base64url without padding.
    pub fn public_key(&self) -> String {
        BASE64URL_NOPAD.encode(self.key.verifying_key().as_bytes())
    }

    /// A token for one link, dated `now`: the edge's time, if that is known to be another than ours.
    pub fn token(&self, agent_id: &AgentId, now: DateTime<Utc>) -> Result<String, jwt_compact::CreationError> {
        // Nothing depends on it being secret: without randomness, the moment is another each time, too.
        let unique = getrandom::u64().unwrap_or(now.timestamp_subsec_nanos().into());
        let claims = LinkClaims {
            iss: agent_id.as_str(),
            aud: AUDIENCE,
            jti: format!("{unique:016x}"),
        };
        let lifetime = TimeDelta::seconds(TOKEN_LIFETIME_SECONDS);
        let clock = TimeOptions::new(TimeDelta::zero(), || now);
        let claims = Claims::new(claims).set_duration_and_issuance(&clock, lifetime);
        Ed25519.token(&Header::empty().with_token_type("JWT"), &claims, &self.key)
    }
}

/// Replaces a file by one that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    // One that a crash left behind may have been made by somebody else: start from nothing.
    match fs::remove_file(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&name)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&name, path));
    if written.is_err() {
        let _ = fs::remove_file(&name);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwt_compact::UntrustedToken;
    use serde_json::{Value, json};

    fn agent() -> AgentId {
        "0123456789ab".parse().unwrap()
    }

    #[test]
    fn a_token_says_who_to_whom_and_for_a_minute_and_verifies_with_the_public_key() {
        let identity = Identity::generate().unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = identity.token(&agent(), now).unwrap();
        assert_ne!(token, identity.token(&agent(), now).unwrap(), "each opens one link");
        let untrusted = UntrustedToken::new(&token).unwrap();
        assert_eq!(untrusted.algorithm(), "EdDSA");
        let key = identity.key.verifying_key();
        let verified = Ed25519.validator::<Value>(&key).validate(&untrusted).unwrap();
        let claims = verified.claims();
        assert_eq!(claims.custom["iss"], json!("0123456789ab"));
        assert_eq!(claims.custom["aud"], json!("vsay-agent-connect"));
        let (issued, expires) = (claims.issued_at.unwrap(), claims.expiration.unwrap());
        assert_eq!((issued, (expires - issued).num_seconds()), (now, 60));
    }

    #[test]
    fn a_key_survives_its_file_which_nobody_else_may_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.key");
        let identity = Identity::generate().unwrap();
        identity.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Identity::load(&path).unwrap().public_key(), identity.public_key());
        assert_eq!(identity.public_key().len(), 43);
        // Saving again replaces it.
        Identity::generate().unwrap().save(&path).unwrap();
        assert_ne!(Identity::load(&path).unwrap().public_key(), identity.public_key());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.key");
        Identity::generate().unwrap().save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Identity::load(&path),
            Err(IdentityError::Exposed { mode: 0o644, .. })
        ));
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.key");
        write_private(&path, b"not a key").unwrap();
        assert!(
            Identity::load(&path)
                .unwrap_err()
                .to_string()
                .contains("agent.key holds no Ed25519")
        );
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        let identity = Identity {
            key: SigningKey::from_bytes(&[0x5a; 32]),
        };
        assert!(!format!("{identity:?}").contains("90"));
        assert!(!format!("{identity:?}").to_lowercase().contains("5a5a"));
    }
}
