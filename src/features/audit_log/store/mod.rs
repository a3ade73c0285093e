//! SQL that reads the log.
use protocol::api::audit::{AuditEntry, AuditTenant, ChainedEntry};
use serde::Deserialize;

use super::filter::{Filter, Lead};
use crate::audit::severity;
use crate::http::client;
use crate::platform::db::{Arg, Count, Query, json, statements};
use crate::platform::error::ApiError;

/// How far entries are counted: beyond that, nobody pages.
const MAX_COUNTED: i64 = 100_000;

/// Most organizations in one list.
pub const MAX_TENANTS: usize = 1000;

/// A stored entry as one JSON text, its fields in order: D1 takes no function with as many arguments as an object would need.
/// The details are a text in it, just as they are stored.
macro_rules! entry {
    () => {
        "json_array(a.int_id, a.id, a.organization_id, a.user_id, a.username, a.action, a.resource, a.resource_id, a.status,
           a.response_status, a.method, a.endpoint, a.ip_address, a.user_agent, a.source, a.error, a.details, a.created_at)
           AS entry, a.hash, a.mac"
    };
}
pub(super) use entry;

/// Everything that narrows a list, but for the organization (?1) and the lead.
macro_rules! narrowed {
    () => {
        " AND (?2 IS NULL OR a.user_id = COALESCE((SELECT id FROM users WHERE int_id = ?3), ?2))
          AND (?4 IS NULL OR a.action IN (SELECT value FROM json_each(?4)))
          AND (?5 IS NULL OR a.created_at >= ?5)
          AND (?6 IS NULL OR a.created_at < ?6)
          AND (?7 IS NULL OR a.username = ?7 COLLATE NOCASE)
          AND (?8 IS NULL OR a.resource = ?8)
          AND (?9 IS NULL OR a.status = ?9)
          AND (?10 IS NULL OR a.source = ?10)
          AND (?11 IS NULL OR a.resource_id = ?11
            OR json_valid(a.details) AND ?11 IN (a.details ->> 'machine_id', a.details ->> 'agent_id'))
          AND (?12 IS NULL OR instr(lower(a.username || ' ' || a.action || ' ' || COALESCE(a.resource_id, '') || ' ' || a.endpoint
            || ' ' || a.ip_address || ' ' || a.user_agent || ' ' || COALESCE(a.error, '') || ' ' || a.details), lower(?12)) > 0)
          AND (?13 IS NULL OR a.action IN (SELECT value FROM json_each(?13))
            OR a.status = ?14 AND a.action NOT IN (SELECT value FROM json_each(?15)))"
    };
}

/// The entries of one organization, by the index of the lead.
macro_rules! of_organization {
    () => {
        concat!(" WHERE a.organization_id = ?1", narrowed!())
    };
}
macro_rules! by_user {
    () => {
        concat!(
            " WHERE a.organization_id = ?1 AND a.user_id = COALESCE((SELECT id FROM users WHERE int_id = ?3), ?2)",
            narrowed!()
        )
    };
}
macro_rules! by_action {
    () => {
        concat!(" WHERE a.organization_id = ?1 AND a.action = ?4 ->> 0", narrowed!())
    };
}

/// By several actions of which there are few entries.
macro_rules! by_severity {
    () => {
        concat!(
            " WHERE a.int_id IN (SELECT b.int_id FROM audit_log b
                WHERE b.organization_id = ?1 AND b.action IN (SELECT value FROM json_each(?13)))",
            narrowed!()
        )
    };
}

/// The entries of all organizations: ?1 is NULL.
macro_rules! everywhere {
    () => {
        concat!(" WHERE a.int_id > 0 AND ?1 IS NULL", narrowed!())
    };
}

/// Entries, with the name of their organization.
macro_rules! entries {
    () => {
        concat!(
            "SELECT ",
            entry!(),
            ", COALESCE(o.slug, '') AS tenant_id FROM audit_log a
             LEFT JOIN organizations o ON o.id = a.organization_id"
        )
    };
}

macro_rules! list {
    ($which:ident) => {
        concat!(entries!(), $which!(), " ORDER BY a.int_id DESC LIMIT ?16 OFFSET ?17")
    };
}

/// The next entries behind one (?16) and not behind another (?18), oldest first.
macro_rules! walk {
    ($which:ident) => {
        concat!(
            entries!(),
            $which!(),
            " AND a.int_id > ?16 AND a.int_id <= ?18 ORDER BY a.int_id LIMIT ?17"
        )
    };
}

macro_rules! count {
    ($which:ident) => {
        concat!(
            "SELECT COUNT(*) AS total FROM (SELECT 1 FROM audit_log a",
            $which!(),
            " LIMIT ?16) listed"
        )
    };
}

statements! {
    LIST = list!(of_organization);
    LIST_BY_USER = list!(by_user);
    LIST_BY_ACTION = list!(by_action);
    LIST_BY_SEVERITY = list!(by_severity);
    LIST_EVERYWHERE = list!(everywhere);

    WALK = walk!(of_organization);
    WALK_BY_USER = walk!(by_user);
    WALK_BY_ACTION = walk!(by_action);
    WALK_BY_SEVERITY = walk!(by_severity);
    WALK_EVERYWHERE = walk!(everywhere);

    COUNT = count!(of_organization);
    COUNT_BY_USER = count!(by_user);
    COUNT_BY_ACTION = count!(by_action);
    COUNT_BY_SEVERITY = count!(by_severity);
    COUNT_EVERYWHERE = count!(everywhere);

    /// An organization by its name in URLs.
    ORGANIZATION = "SELECT id FROM organizations WHERE slug = ?1";

    TENANT = "SELECT slug AS tenant_id, name AS tenant_name FROM organizations WHERE id = ?1";

    /// By the index of their names in URLs.
    TENANTS = "SELECT slug AS tenant_id, name AS tenant_name FROM organizations WHERE slug > ?1 ORDER BY slug LIMIT ?2";

    /// The last number that an entry has.
    NEWEST = "SELECT COALESCE(MAX(a.int_id), 0) AS int_id FROM audit_log a";
}

#[derive(Debug, Deserialize)]
pub struct StoredRow {
    #[serde(deserialize_with = "json")]
    entry: ChainedEntry,
    pub hash: Option<String>,
    /// What shows that this server wrote it.
    #[serde(default)]
    pub mac: Option<String>,
}

/// A stored entry with its organization's name.
#[derive(Debug, Deserialize)]
pub struct LogRow {
    #[serde(flatten)]
    stored: StoredRow,
    tenant_id: String,
}

/// The last number that an entry has.
#[derive(Debug, Deserialize)]
pub struct Newest {
    pub int_id: i64,
}

#[derive(Debug, Deserialize)]
pub struct OrganizationId {
    pub id: String,
}

impl StoredRow {
    /// The entry. Details that somebody made unreadable stay the text they are, which no seal matches.
    pub fn entry(&self) -> ChainedEntry {
        let mut entry = self.entry.clone();
        let details = entry.details.as_str().and_then(|text| serde_json::from_str(text).ok());
        entry.details = details.unwrap_or(entry.details);
        entry
    }
}

impl From<LogRow> for AuditEntry {
    fn from(row: LogRow) -> Self {
        let entry = row.stored.entry();
        Self {
            tenant_id: row.tenant_id,
            resource_type: entry.resource.clone(),
            severity: severity::of(&entry.action, &entry.status),
            request_body: entry
                .details
                .as_object()
                .filter(|details| !details.is_empty())
                .map(|_| entry.details.clone()),
            browser: client::browser(&entry.user_agent).to_owned(),
            os: client::operating_system(&entry.user_agent).to_owned(),
            timestamp: entry.created_at.clone(),
            hash: row.stored.hash,
            entry,
        }
    }
}

/// Whose entries are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One organization's, by its id; those that belong to none have an empty one.
    Organization(String),
    /// All.
    Everywhere,
}

/// A part of the log to be read, with its statements chosen.
#[derive(Debug, Clone)]
pub struct Selection {
    statements: [&'static str; 3],
    organization: Arg,
    filter: [Arg; 14],
}

impl Selection {
    /// The entries of `scope` that match `filter`.
    pub fn new(scope: &Scope, filter: &Filter) -> Result<Self, ApiError> {
        let (statements, organization) = match (scope, filter.lead()) {
            (Scope::Everywhere, _) => ([LIST_EVERYWHERE, WALK_EVERYWHERE, COUNT_EVERYWHERE], Arg::Null),
            (Scope::Organization(id), Lead::Organization) => ([LIST, WALK, COUNT], id.as_str().into()),
            (Scope::Organization(id), Lead::User) => ([LIST_BY_USER, WALK_BY_USER, COUNT_BY_USER], id.as_str().into()),
            (Scope::Organization(id), Lead::Action) => {
                ([LIST_BY_ACTION, WALK_BY_ACTION, COUNT_BY_ACTION], id.as_str().into())
            }
            (Scope::Organization(id), Lead::Severity) => (
                [LIST_BY_SEVERITY, WALK_BY_SEVERITY, COUNT_BY_SEVERITY],
                id.as_str().into(),
            ),
        };
        Ok(Self {
            statements,
            organization,
            filter: filter.args()?,
        })
    }

    /// A page of them, newest first.
    pub fn list(&self, limit: i64, offset: i64) -> Query<LogRow> {
        let [list, _, _] = self.statements;
        Query::new(list, self.args([limit.into(), offset.into()]))
    }

    /// The next of them behind `after` and up to `until`, oldest first.
    pub fn walk(&self, after: i64, until: i64, limit: i64) -> Query<LogRow> {
        let [_, walk, _] = self.statements;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = self.args([after.into(), limit.into()]);
        Query::new(walk, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, until.into()])
    }

    /// How many there are.
    pub fn count(&self) -> Query<Count> {
        let [_, _, count] = self.statements;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, limit, _] = self.args([MAX_COUNTED.into(), Arg::Null]);
        Query::new(count, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, limit])
    }

    fn args(&self, window: [Arg; 2]) -> [Arg; 17] {
        let [b, c, d, e, f, g, h, i, j, k, l, m, n, o] = self.filter.clone();
        let [p, q] = window;
        [
            self.organization.clone(),
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
            m,
            n,
            o,
            p,
            q,
        ]
    }
}

/// An organization by its name in URLs.
pub fn organization(slug: &str) -> Query<OrganizationId> {
    Query::new(ORGANIZATION, [slug.into()])
}

/// One organization by its id, as the only one to choose.
pub fn tenant(organization: &str) -> Query<AuditTenant> {
    Query::new(TENANT, [organization.into()])
}

/// Organizations behind one, by their names in URLs.
pub fn tenants(after: &str) -> Query<AuditTenant> {
    Query::new(TENANTS, [after.into(), (MAX_TENANTS as i64).into()])
}

/// The newest entry of all.
pub fn newest() -> Query<Newest> {
    Query::new(NEWEST, [])
}

#[cfg(test)]
mod tests;
