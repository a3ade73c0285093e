//! SSH keys as OpenSSH writes them.
use protocol::api::profile::SshKeyPair;
use ssh_key::LineEnding;
use ssh_key::private::{Ed25519Keypair, PrivateKey};

use crate::platform::error::ApiError;
use crate::platform::random;

/// A new Ed25519 pair. `comment` says whose it is.
pub fn generate(comment: &str) -> Result<SshKeyPair, ApiError> {
    let failed = |error: ssh_key::Error| ApiError::internal(format!("no SSH key: {error}"));
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&random::bytes()?));
    key.set_comment(comment);
    Ok(SshKeyPair {
        public_key: key.public_key().to_openssh().map_err(failed)?,
        private_key: key.to_openssh(LineEnding::LF).map_err(failed)?.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_belongs_together_and_names_its_owner() {
        let pair = generate("Ann Smith@cloudlab").unwrap();
        assert!(
            pair.public_key.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"),
            "{}",
            pair.public_key
        );
        assert!(pair.public_key.ends_with(" Ann Smith@cloudlab"), "{}", pair.public_key);
        let private = PrivateKey::from_openssh(pair.private_key.expose()).unwrap();
        assert!(!private.is_encrypted());
        assert_eq!(private.public_key().to_openssh().unwrap(), pair.public_key);
        assert!(
            pair.private_key
                .expose()
                .starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n")
        );
    }

    #[test]
    fn no_two_pairs_are_the_same() {
        assert_ne!(generate("a").unwrap().public_key, generate("a").unwrap().public_key);
    }
}
