//! Checking an exported audit log, entry by entry as it is read, so that its length costs no memory.
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use protocol::api::audit::{AuditEntry, Chain, ChainReport};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// The chains of an export, by the id of their organization.
#[derive(Debug, Default)]
pub struct Chains(BTreeMap<String, Walked>);

/// One organization's chain as far as it was read.
#[derive(Debug, Default)]
struct Walked {
    tenant: String,
    chain: Chain,
    /// The first entry whose unsealed copies of sealed fields say something else.
    forged: Option<i64>,
}

impl Chains {
    /// Reads a JSON export to its end.
    pub fn read(source: impl Read) -> serde_json::Result<Self> {
        let mut chains = Self::default();
        let mut json = serde_json::Deserializer::from_reader(source);
        Entries(&mut chains).deserialize(&mut json)?;
        json.end()?;
        Ok(chains)
    }

    fn push(&mut self, published: &AuditEntry) {
        let entry = &published.entry;
        let walked = self.0.entry(entry.organization_id.clone()).or_default();
        walked.tenant.clone_from(&published.tenant_id);
        walked.chain.push(entry, published.hash.as_deref());
        if !published.agrees() {
            walked.forged.get_or_insert(entry.int_id);
        }
    }

    /// Whether nothing is wrong, and a line for people about each chain.
    pub fn verdict(self) -> (bool, Vec<String>) {
        if self.0.is_empty() {
            return (true, vec!["There are no entries.".to_owned()]);
        }
        let mut valid = true;
        let lines = self.0.into_values().map(|walked| {
            let report = walked.chain.report();
            valid &= report.valid && walked.forged.is_none();
            line(&printable(&walked.tenant), &report, walked.forged)
        });
        let lines = lines.collect();
        (valid, lines)
    }
}

fn line(tenant: &str, report: &ChainReport, forged: Option<i64>) -> String {
    let tenant = if tenant.is_empty() { "(no organization)" } else { tenant };
    if let Some(broken) = &report.broken_at {
        let ChainReport { entries, .. } = report;
        return format!(
            "{tenant}: BROKEN at entry {}, after {entries} in order. {}.",
            broken.int_id, broken.reason
        );
    }
    if let Some(int_id) = forged {
        return format!("{tenant}: BROKEN at entry {int_id}. Its timestamp or resource_type is not the sealed one.");
    }
    let waiting = match report.unsealed {
        0 => String::new(),
        count => format!(" {count} more wait for their seal."),
    };
    format!(
        "{tenant}: {} entries in order.{waiting} Head: {}",
        report.entries, report.head
    )
}

/// A file may hold anything: escape sequences in it must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

/// An array of entries.
struct Entries<'a>(&'a mut Chains);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the JSON array of an audit export")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element()? {
            self.0.push(&entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use protocol::api::audit::{GENESIS, seal};
    use serde_json::{Value, json};

    use super::*;

    /// An export of `count` entries each of two organizations, in turn.
    fn export(count: usize) -> Vec<Value> {
        let mut heads = [GENESIS.to_owned(), GENESIS.to_owned()];
        (0..count * 2)
            .map(|n| {
                let tenant = ["acme", "other"][n % 2];
                let mut entry = json!({
                    "int_id": n, "id": format!("{n:024x}"), "organization_id": tenant, "user_id": null, "username": "ann",
                    "action": "login", "resource": "auth", "resource_id": null, "status": "success", "response_status": 200,
                    "method": "POST", "endpoint": "/api/login", "ip_address": "", "user_agent": "", "source": "ui", "error": null,
                    "details": {"n": n}, "created_at": "2026-01-01T00:00:00.000Z", "tenant_id": tenant, "resource_type": "auth",
                    "browser": "", "os": "", "timestamp": "2026-01-01T00:00:00.000Z", "hash": null
                });
                let read: AuditEntry = serde_json::from_value(entry.clone()).unwrap();
                heads[n % 2] = seal(&heads[n % 2], &read.entry);
                entry["hash"] = heads[n % 2].clone().into();
                entry
            })
            .collect()
    }

    fn verdict(entries: &[Value]) -> (bool, String) {
        let text = serde_json::to_vec(entries).unwrap();
        let (valid, lines) = Chains::read(text.as_slice()).unwrap().verdict();
        (valid, lines.join("\n"))
    }

    #[test]
    fn an_export_that_nobody_touched_is_in_order() {
        let entries = export(3);
        let (valid, text) = verdict(&entries);
        assert!(valid, "{text}");
        let head = entries[4]["hash"].as_str().unwrap();
        assert!(
            text.starts_with(&format!("acme: 3 entries in order. Head: {head}\nother: 3 entries")),
            "{text}"
        );
        assert_eq!(verdict(&[]), (true, "There are no entries.".to_owned()));
    }

    #[test]
    fn what_was_changed_is_found() {
        for (field, value) in [
            ("username", json!("eve")),
            ("details", json!({})),
            ("timestamp", json!("2025")),
        ] {
            let mut entries = export(3);
            entries[2][field] = value;
            let (valid, text) = verdict(&entries);
            assert!(
                !valid && text.contains("acme: BROKEN at entry 2") && text.contains("other: 3 entries"),
                "{text}"
            );
        }
        let mut entries = export(3);
        entries.remove(3);
        assert!(
            verdict(&entries)
                .1
                .contains("other: BROKEN at entry 5, after 1 in order")
        );
    }

    #[test]
    fn what_is_no_whole_export_is_refused() {
        for text in ["", "{}", "[1]", "int_id,id", "[{}]", "[] []", "["] {
            assert!(Chains::read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J"), "a\u{FFFD}[2J");
    }
}
