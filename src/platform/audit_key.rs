//! What shows that this server wrote an entry: an HMAC-SHA256 over all that is said in it, made with it and stored beside it.
//! Whoever can write to the database has not the key, and so neither adds an entry nor changes one unnoticed.
use std::fmt;
use std::sync::OnceLock;

use hmac::{Hmac, Mac};
use protocol::api::audit::{ChainedEntry, row};
use sha2::Sha256;

/// Begins what an entry's code is made of. Its number changes with the encoding.
const ENTRY: &str = "vsay-audit-entry-1";

/// Begins what the code of a chain's newest seal is made of.
const HEAD: &str = "vsay-audit-head-1";

/// The key of this isolate. It is set once where the settings are read, and not handed to every function that changes something:
/// there is none that must not write to the log.
static KEY: OnceLock<AuditKey> = OnceLock::new();

/// The key that authenticates entries.
#[derive(Clone)]
pub struct AuditKey(Hmac<Sha256>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl AuditKey {
    /// A key made of a secret that also serves for something else.
    pub fn derived_from(secret: &[u8]) -> Option<Self> {
        let mut derive = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        derive.update(b"vsay-audit-key-1");
        let key = derive.finalize().into_bytes();
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// Authenticates from now on what this isolate writes.
    pub fn install(&self) {
        // Settings do not change for as long as the isolate lives.
        KEY.get_or_init(|| self.clone());
    }

    /// The key of this isolate, once it is set.
    pub fn installed() -> Option<&'static Self> {
        KEY.get()
    }

    /// The code of an entry, in hex.
    pub fn entry(&self, entry: &ChainedEntry) -> String {
        hex::encode(self.over_entry(entry).finalize().into_bytes())
    }

    /// Whether `code` is that of the entry.
    pub fn made_entry(&self, entry: &ChainedEntry, code: &str) -> bool {
        is(self.over_entry(entry), code)
    }

    /// The code of the newest seal of an organization's chain, in hex.
    pub fn head(&self, organization: &str, int_id: i64, hash: &str) -> String {
        hex::encode(self.over_head(organization, int_id, hash).finalize().into_bytes())
    }

    /// Whether `code` is that of the seal.
    pub fn made_head(&self, organization: &str, int_id: i64, hash: &str, code: &str) -> bool {
        is(self.over_head(organization, int_id, hash), code)
    }

    fn over_entry(&self, entry: &ChainedEntry) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        row(&[Some(ENTRY)], &mut |bytes| code.update(bytes));
        entry.said(&mut |bytes| code.update(bytes));
        code
    }

    fn over_head(&self, organization: &str, int_id: i64, hash: &str) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        let int_id = int_id.to_string();
        let texts = [Some(HEAD), Some(organization), Some(&int_id), Some(hash)];
        row(&texts, &mut |bytes| code.update(bytes));
        code
    }
}

/// Compares in a time that says nothing about the right one.
fn is(code: Hmac<Sha256>, text: &str) -> bool {
    hex::decode(text).is_ok_and(|text| code.verify_slice(&text).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry() -> ChainedEntry {
        serde_json::from_value(json!({
            "int_id": 7, "id": "0a", "organization_id": "acme", "user_id": null, "username": "ann", "action": "login",
            "resource": "auth", "resource_id": null, "status": "success", "response_status": 200, "method": "POST",
            "endpoint": "/api/login", "ip_address": "", "user_agent": "", "source": "ui", "error": null, "details": {"n": 1},
            "created_at": "2026-01-01T00:00:00.000Z"
        }))
        .unwrap()
    }

    #[test]
    fn a_code_is_of_one_entry_and_one_secret() {
        let key = AuditKey::derived_from(b"one").unwrap();
        let code = key.entry(&entry());
        assert!(key.made_entry(&entry(), &code));
        assert!(key.made_entry(&ChainedEntry { int_id: 8, ..entry() }, &code));
        for other in [
            ChainedEntry {
                id: "0b".into(),
                ..entry()
            },
            ChainedEntry {
                user_id: Some(String::new()),
                ..entry()
            },
            ChainedEntry {
                details: json!({"n": 2}),
                ..entry()
            },
            ChainedEntry {
                response_status: 201,
                ..entry()
            },
        ] {
            assert!(!key.made_entry(&other, &code), "{other:?}");
        }
        assert!(!AuditKey::derived_from(b"two").unwrap().made_entry(&entry(), &code));
        for bad in ["", "00", "no hex", &code[2..]] {
            assert!(!key.made_entry(&entry(), bad), "{bad}");
        }
    }

    #[test]
    fn the_code_of_a_seal_is_of_its_place_and_organization() {
        let key = AuditKey::derived_from(b"one").unwrap();
        let code = key.head("acme", 7, "hash");
        assert!(key.made_head("acme", 7, "hash", &code));
        assert!(!key.made_head("other", 7, "hash", &code));
        assert!(!key.made_head("acme", 8, "hash", &code));
        assert!(!key.made_head("acme", 7, "hush", &code));
    }
}
