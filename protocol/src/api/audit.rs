//! The audit log, and the chain that seals it.
//!
//! The entries of one organization form a chain in the order of `int_id`. The `hash` of an entry is the SHA-256 of the hash
//! before it, or of [`GENESIS`] for the first, and of everything that is stored about the entry. So whoever has the entries can
//! compute every hash anew, and whoever remembers one hash notices any change to what lies before it.
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// What stands for the hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Begins what is hashed, so that no other hash of ours is ever one of these. Its number changes with the encoding.
const DOMAIN: &str = "vsay-audit-1";

/// An entry as it is stored: all of this is under its seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChainedEntry {
    /// Its place in the order of entries. Counts up over all organizations, so an organization's own have gaps.
    pub int_id: i64,
    /// Its name: 24 hex characters.
    pub id: String,
    /// The organization it belongs to; empty where nobody knows, such as a sign-in to an account that does not exist.
    pub organization_id: String,
    /// Who did it, if that is known.
    pub user_id: Option<String>,
    /// The name of who did it, or the one somebody gave.
    pub username: String,
    /// What was done, such as `login`.
    pub action: String,
    /// The kind of thing it was done to, such as `machine`.
    pub resource: String,
    /// Which one.
    pub resource_id: Option<String>,
    /// `success` or `failure`.
    pub status: String,
    /// The HTTP status that answered it; 0 for what was no request.
    pub response_status: i64,
    /// The HTTP method; empty for what was no request.
    pub method: String,
    /// The path as the API document writes it.
    pub endpoint: String,
    /// Where it came from.
    pub ip_address: String,
    /// How the program named itself.
    pub user_agent: String,
    /// The kind of program: `ui`, `cli`, `vscode`, `system`, or a name of its own.
    pub source: String,
    /// Why it failed.
    pub error: Option<String>,
    /// More about it.
    #[schema(value_type = Object)]
    pub details: Value,
    /// When: RFC 3339 in UTC with milliseconds.
    pub created_at: String,
}

/// How much an entry deserves to be looked at. It follows from what was done and whether it succeeded, and is not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Daily life.
    #[default]
    Info,
    /// It failed or was refused, or it changed who may do what.
    Warning,
    /// It gave power over others, took a protection off, or cannot be undone.
    Critical,
}

impl Severity {
    /// Reads a severity as it travels.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The severity as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// An entry as it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// What is stored.
    #[serde(flatten)]
    pub entry: ChainedEntry,
    /// The organization's name in URLs; empty if the entry belongs to none, or to one that is gone.
    pub tenant_id: String,
    /// The same as `resource`.
    pub resource_type: String,
    /// How much it deserves to be looked at.
    #[serde(default)]
    #[schema(required)]
    pub severity: Severity,
    /// The same as `details`; null if there are none. Bodies of requests are not kept, as they may hold secrets.
    #[serde(default)]
    #[schema(required, value_type = Option<Object>)]
    pub request_body: Option<Value>,
    /// The browser that `user_agent` names.
    pub browser: String,
    /// The operating system that `user_agent` names.
    pub os: String,
    /// The same as `created_at`.
    pub timestamp: String,
    /// The seal, in hex. None for at most a minute or so after the entry was made.
    pub hash: Option<String>,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The entries.
    pub logs: Vec<AuditEntry>,
    /// The same entries, whose `resource` is a path that also says which one, such as `roles/15`.
    pub entries: Vec<AuditEntry>,
    /// How many entries match, counted up to 100 000.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many entries fit on a page.
    pub limit: u64,
    /// The same as `limit`.
    pub per_page: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// The organizations whose log the caller may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditTenants {
    /// By name.
    pub tenants: Vec<AuditTenant>,
    /// Where the list goes on (`after`), if there are more.
    pub next: Option<String>,
}

/// An organization, to choose a log by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditTenant {
    /// Its name in URLs.
    pub tenant_id: String,
    /// Its name for people.
    pub tenant_name: String,
}

/// What a walk along a chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainReport {
    /// Whether every sealed entry that was looked at is as it was sealed.
    pub valid: bool,
    /// How many sealed entries are in order.
    pub entries: u64,
    /// How many entries at the end wait for their seal.
    pub unsealed: u64,
    /// How many of those that were looked at were written by a version that did not authenticate entries: they are sealed,
    /// and nothing shows that this server wrote them. They can only be the first ones.
    #[serde(default)]
    #[schema(required)]
    pub unauthenticated: u64,
    /// The hash of the last entry in order: remember it to prove later that nothing before it changed.
    pub head: String,
    /// The first entry that is not in order.
    pub broken_at: Option<Broken>,
    /// Where the next walk goes on (`after`), if this one stopped because the log is long.
    pub next: Option<i64>,
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Broken {
    /// The entry.
    pub id: String,
    /// Its place.
    pub int_id: i64,
    /// What is wrong with it, for people.
    pub reason: String,
}

/// The hash of an entry that follows the one with the hash `previous`, in hex.
///
/// What is hashed is a row of texts, each as the byte 1, its length in bytes as 64 bits (big-endian) and its UTF-8; an absent
/// text is the byte 0. The texts are `vsay-audit-1`, the previous hash in hex, and the fields of [`ChainedEntry`] in their
/// order: numbers in decimal, `details` as JSON without white space and with the keys of its objects sorted.
pub fn seal(previous: &str, entry: &ChainedEntry) -> String {
    let mut hash = Sha256::new();
    let int_id = entry.int_id.to_string();
    row(&[Some(DOMAIN), Some(previous), Some(&int_id)], &mut |bytes| {
        hash.update(bytes)
    });
    entry.said(&mut |bytes| hash.update(bytes));
    hex::encode(hash.finalize())
}

impl ChainedEntry {
    /// Gives `sink` everything that is known of the entry when it is made, in the form that is hashed: all but its `int_id`.
    pub fn said(&self, sink: &mut impl FnMut(&[u8])) {
        let mut details = String::new();
        canonical(&self.details, &mut details);
        let response_status = self.response_status.to_string();
        row(&self.texts(&details, &response_status), sink);
    }

    fn texts<'a>(&'a self, details: &'a str, response_status: &'a str) -> [Option<&'a str>; 17] {
        let entry = self;
        [
            Some(entry.id.as_str()),
            Some(entry.organization_id.as_str()),
            entry.user_id.as_deref(),
            Some(entry.username.as_str()),
            Some(entry.action.as_str()),
            Some(entry.resource.as_str()),
            entry.resource_id.as_deref(),
            Some(entry.status.as_str()),
            Some(response_status),
            Some(entry.method.as_str()),
            Some(entry.endpoint.as_str()),
            Some(entry.ip_address.as_str()),
            Some(entry.user_agent.as_str()),
            Some(entry.source.as_str()),
            entry.error.as_deref(),
            Some(details),
            Some(entry.created_at.as_str()),
        ]
    }
}

/// Writes a row of texts as it is hashed.
pub fn row(texts: &[Option<&str>], sink: &mut impl FnMut(&[u8])) {
    for text in texts {
        match text {
            None => sink(&[0]),
            Some(text) => {
                sink(&[1]);
                sink(&(text.len() as u64).to_be_bytes());
                sink(text.as_bytes());
            }
        }
    }
}

/// Writes JSON in the one form that is hashed.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(value, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// A walk along one organization's chain. It is given the entries in order and stops looking at the first that is wrong.
#[derive(Debug, Clone)]
pub struct Chain {
    report: ChainReport,
    /// The `int_id` of the entry before.
    last: i64,
    /// The first entry without a seal.
    unsealed: Option<(String, i64)>,
}

impl Default for Chain {
    fn default() -> Self {
        Self::after(i64::MIN, GENESIS)
    }
}

impl Chain {
    /// A walk that goes on behind a sealed entry: its `int_id` and its hash.
    pub fn after(int_id: i64, hash: &str) -> Self {
        Self {
            report: ChainReport {
                valid: true,
                entries: 0,
                unsealed: 0,
                unauthenticated: 0,
                head: hash.to_owned(),
                broken_at: None,
                next: None,
            },
            last: int_id,
            unsealed: None,
        }
    }

    /// Looks at the next entry.
    pub fn push(&mut self, entry: &ChainedEntry, hash: Option<&str>) {
        if !self.report.valid {
            return;
        }
        if entry.int_id <= self.last {
            return self.break_at(&entry.id, entry.int_id, "It is out of order");
        }
        self.last = entry.int_id;
        match (hash, self.unsealed.take()) {
            (None, first) => {
                self.report.unsealed += 1;
                self.unsealed = first.or_else(|| Some((entry.id.clone(), entry.int_id)));
            }
            (Some(_), Some((id, int_id))) => self.break_at(&id, int_id, "It has no seal, though a later entry has one"),
            (Some(hash), None) if hash == seal(&self.report.head, entry) => {
                self.report.entries += 1;
                hash.clone_into(&mut self.report.head);
            }
            (Some(_), None) => self.break_at(
                &entry.id,
                entry.int_id,
                "It does not match its seal: it was changed, or something before it was removed or added",
            ),
        }
    }

    /// Whether every entry so far is in order.
    pub fn is_valid(&self) -> bool {
        self.report.valid
    }

    /// What was found.
    pub fn report(self) -> ChainReport {
        self.report
    }

    /// Counts an entry that nothing authenticates.
    pub fn unauthenticated(&mut self) {
        self.report.unauthenticated += 1;
    }

    /// The `int_id` of the last entry that was looked at.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Says that the chain is broken at an entry, for a reason that lies outside of it. The first reason stays.
    pub fn break_at(&mut self, id: &str, int_id: i64, reason: &str) {
        if !self.report.valid {
            return;
        }
        self.report.valid = false;
        self.report.broken_at = Some(Broken {
            id: id.to_owned(),
            int_id,
            reason: reason.to_owned(),
        });
    }
}

impl AuditEntry {
    /// Whether the fields that repeat a sealed one still say the same. Only the sealed ones are proven.
    pub fn agrees(&self) -> bool {
        self.timestamp == self.entry.created_at && self.resource_type == self.entry.resource
    }
}

/// Reads a time as people write it in a query: ISO 8601, in UTC if it names no offset; a date is its first moment.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let local = |form| NaiveDateTime::parse_from_str(text, form).ok();
    if let Some(time) = local("%Y-%m-%dT%H:%M:%S%.f").or_else(|| local("%Y-%m-%dT%H:%M")) {
        return Some(time.and_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests;
