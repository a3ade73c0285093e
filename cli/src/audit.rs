//! Checking an exported audit log, entry by entry as it is read, so that its length costs no memory.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use protocol::api::audit::{AuditEntry, Chain, ChainReport};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// The chains of an export, by the id of their organization.
#[derive(Debug, Clone, Default)]
pub struct Chains {
    walked: BTreeMap<String, Walked>,
    /// Seals that were kept elsewhere and have not come by. A seal is over all that is before it.
    missing: BTreeSet<String>,
}

/// One organization's chain as far as it was read.
#[derive(Debug, Clone, Default)]
struct Walked {
    tenant: String,
    chain: Chain,
    /// The first entry whose unsealed copies of sealed fields say something else.
    forged: Option<i64>,
}

impl Chains {
    /// Reads a JSON export to its end, and looks for the seals that were kept.
    pub fn read(source: impl Read, kept: BTreeSet<String>) -> serde_json::Result<Self> {
        let mut chains = Self {
            missing: kept,
            ..Self::default()
        };
        let mut json = serde_json::Deserializer::from_reader(source);
        Entries(&mut chains).deserialize(&mut json)?;
        json.end()?;
        Ok(chains)
    }

    fn push(&mut self, published: &AuditEntry) {
        let entry = &published.entry;
        if let Some(hash) = &published.hash {
            self.missing.remove(hash);
        }
        let walked = self.walked.entry(entry.organization_id.clone()).or_default();
        walked.tenant.clone_from(&published.tenant_id);
        walked.chain.push(entry, published.hash.as_deref());
        if !published.agrees() {
            walked.forged.get_or_insert(entry.int_id);
        }
    }

    /// The newest seal of each chain.
    pub fn heads(self) -> BTreeSet<String> {
        let reports = self.walked.into_values().map(|walked| walked.chain.report());
        reports
            .filter(|report| report.entries > 0)
            .map(|report| report.head)
            .collect()
    }

    /// The organizations whose chains these are, as a server is asked for them. One that is gone has no name.
    pub fn tenants(&self) -> Vec<String> {
        let each = self
            .walked
            .iter()
            .map(|(organization, walked)| match organization.is_empty() {
                true => NO_ORGANIZATION.to_owned(),
                false => walked.tenant.clone(),
            });
        each.filter(|tenant| !tenant.is_empty()).collect()
    }

    /// Whether everything is sealed and nothing is wrong, and a line for people about each chain.
    pub fn verdict(self) -> (bool, Vec<String>) {
        if self.walked.is_empty() {
            return (false, vec!["There are no entries, so nothing is proven.".to_owned()]);
        }
        let mut valid = self.missing.is_empty();
        let lines = self.walked.into_values().map(|walked| {
            let report = walked.chain.report();
            valid &= report.valid && walked.forged.is_none() && report.unsealed == 0;
            line(&printable(&walked.tenant), &report, walked.forged)
        });
        let mut lines: Vec<String> = lines.collect();
        let missing = self.missing.iter();
        lines
            .extend(missing.map(|seal| format!("MISSING: no entry has the seal {}, which was kept.", printable(seal))));
        (valid, lines)
    }
}

/// What a server says of a chain, which only it can: whether it wrote every entry. None if nothing is wrong.
pub fn refused(tenant: &str, report: &ChainReport) -> Option<String> {
    let broken = report.broken_at.as_ref()?;
    Some(format!(
        "{}: BROKEN at entry {}, says the server. {}.",
        printable(tenant),
        broken.int_id,
        printable(&broken.reason)
    ))
}

/// Chooses the entries that belong to no organization.
const NO_ORGANIZATION: &str = "-";

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
    let ChainReport {
        entries,
        unsealed,
        head,
        ..
    } = report;
    match unsealed {
        0 => format!("{tenant}: {entries} entries in order. Head: {head}"),
        _ => format!("{tenant}: NOT SEALED: the last {unsealed}, after {entries} in order. Head: {head}"),
    }
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
        let (valid, lines) = Chains::read(text.as_slice(), BTreeSet::new()).unwrap().verdict();
        (valid, lines.join("\n"))
    }

    fn with_kept(entries: &[Value], kept: &[&str]) -> (bool, String) {
        let text = serde_json::to_vec(entries).unwrap();
        let kept = kept.iter().map(|seal| (*seal).to_owned()).collect();
        let (valid, lines) = Chains::read(text.as_slice(), kept).unwrap().verdict();
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
    }

    #[test]
    fn what_holds_no_seals_proves_nothing() {
        assert_eq!(
            verdict(&[]),
            (false, "There are no entries, so nothing is proven.".to_owned())
        );
        for from in [0, 2, 4] {
            let mut entries = export(3);
            for entry in &mut entries[from..] {
                entry["hash"] = Value::Null;
            }
            let (valid, text) = verdict(&entries);
            assert!(!valid && text.contains("acme: NOT SEALED: the last"), "{text}");
        }
    }

    #[test]
    fn a_seal_that_was_kept_must_still_be_there() {
        let entries = export(3);
        let seal = entries[2]["hash"].as_str().unwrap();
        assert!(with_kept(&entries, &[seal]).0);
        let kept = Chains::read(serde_json::to_vec(&entries[..4]).unwrap().as_slice(), BTreeSet::new()).unwrap();
        let kept = kept.heads();
        assert_eq!(
            kept,
            [2, 3].map(|n| entries[n]["hash"].as_str().unwrap().to_owned()).into()
        );
        // A log whose end was cut off, or that was made anew from its beginning, is in order by itself.
        let cut = &entries[..2];
        assert!(verdict(cut).0);
        let (valid, text) = with_kept(cut, &[seal]);
        assert!(
            !valid && text.contains(&format!("MISSING: no entry has the seal {seal}")),
            "{text}"
        );
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
            assert!(Chains::read(text.as_bytes(), BTreeSet::new()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J"), "a\u{FFFD}[2J");
    }
}
