//! SQL of the command log.
pub mod over;
pub mod session;

use chrono::{DateTime, Utc};
use protocol::api::command_logs::{CommandAgainstPolicy, CommandOutcome, CommandSeen, CommandText};
use protocol::ids::ObjectId;
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::predicates::reaches;
use crate::platform::db::{Arg, Nothing, Query, flag, json, optional_json, statements};
use crate::platform::error::ApiError;

/// How many rows a list or search looks at, newest first. D1 does one thing at a time, so none may take long: this many take some
/// tens of milliseconds. What is older is found by going on from there.
pub const SCANNED: u64 = 10_000;

/// A [`Command`] as one JSON text, its fields in order. The last is the recording that has what it wrote: a minute is more than
/// clocks may differ without being corrected.
macro_rules! command_row {
    () => {
        "json_array(c.key, c.id, c.machine_id, c.machine_name, c.agent_id, c.user_id, c.username, c.session_id, c.source, c.browser,
           c.os_info, c.ip_address, c.command, c.text, c.seen, c.cwd, c.outcome, c.exit_code, c.started_at, c.duration_ms, c.command_id,
           c.output_from, c.output_to, c.missing, c.policy,
           (SELECT r.id FROM recordings r WHERE r.machine_id = c.machine_id AND r.session_id = c.session_id AND r.stream = c.stream
              AND r.started_at <= strftime('%Y-%m-%dT%H:%M:%fZ', c.started_at, '+1 minute')
            ORDER BY r.started_at DESC LIMIT 1)) AS command"
    };
}

use command_row;

/// The keys of the newest rows of a lead (its value is ?1) between two keys (?2, ?3), as many as are looked at (?13).
macro_rules! newest {
    ($lead:literal) => {
        concat!(
            "SELECT l.key FROM command_logs l WHERE ",
            $lead,
            " AND l.key < ?2 AND l.key > ?3 ORDER BY l.key DESC LIMIT ?13"
        )
    };
}

/// The same of those of an organization that have a text (?12): the index is one of all organizations, of which each has a range
/// (`migrations/0022_command_log_keys.sql`). By the index's own number: by the table's, all matches would be read first. Its keys are whole numbers, which
/// those that D1 binds are not.
macro_rules! with_text {
    ($organization:literal) => {
        concat!(
            "SELECT s.rowid AS key FROM command_search s WHERE s.command_search MATCH ?12
               AND s.rowid < MIN(CAST(?2 AS INTEGER), (SELECT (k.number + 1) * 4294967296 FROM command_log_keys k WHERE k.organization_id = ",
            $organization,
            ")) AND s.rowid > MAX(CAST(?3 AS INTEGER), (SELECT k.number * 4294967296 FROM command_log_keys k WHERE k.organization_id = ",
            $organization,
            ")) ORDER BY s.rowid DESC LIMIT ?13"
        )
    };
}

/// What narrows a list, whatever leads it.
macro_rules! narrowed {
    () => {
        "(?4 IS NULL OR c.machine_id = ?4) AND (?5 IS NULL OR c.user_id = ?5) AND (?6 IS NULL OR c.session_id = ?6)
         AND (?7 IS NULL OR c.source = ?7) AND (?8 IS NULL OR c.exit_code = ?8)
         AND (?9 IS NULL OR c.exit_code IS NOT NULL AND (c.exit_code = 0) = ?9)
         AND (?10 IS NULL OR c.started_at >= ?10) AND (?11 IS NULL OR c.started_at < ?11)"
    };
}

/// What was looked at: how many rows, the oldest of them; how many of them are meant, and the newest of these. The newest of all
/// would say what there is on machines that the caller does not reach.
macro_rules! counted {
    ($where:expr) => {
        concat!(
            "SELECT COUNT(*) AS rows, COUNT(meant) AS total, MIN(key) AS oldest, MAX(meant) AS newest FROM (SELECT listed.key, IIF(",
            $where,
            " AND ",
            narrowed!(),
            ", listed.key, NULL) AS meant FROM listed CROSS JOIN command_logs c ON c.key = listed.key)"
        )
    };
}

/// The same where nothing narrows the rows of a lead: their keys are enough.
macro_rules! counted_all {
    () => {
        "SELECT COUNT(*) AS rows, COUNT(*) AS total, MIN(listed.key) AS oldest, MAX(listed.key) AS newest FROM listed"
    };
}

/// A row with what was looked at, then a page of the rows that are meant (?14, ?15). The keys are found once for both: of a text
/// whose parts all are common and which stands nowhere, that is all the work. They come in the order of what leads, so that a page
/// is had without reading all of it: an ORDER BY here would sort first.
macro_rules! list {
    ($keys:expr, $where:expr, $counted:expr) => {
        concat!(
            "WITH listed AS MATERIALIZED (",
            $keys,
            ") SELECT NULL AS command, rows, total, oldest, newest FROM (",
            $counted,
            ") UNION ALL SELECT command, 0, 0, NULL, NULL FROM (SELECT ",
            command_row!(),
            " FROM listed CROSS JOIN command_logs c ON c.key = listed.key WHERE ",
            $where,
            " AND ",
            narrowed!(),
            " LIMIT ?14 OFFSET ?15)"
        )
    };
    ($keys:expr, $where:expr) => {
        list!($keys, $where, counted!($where))
    };
}

/// Of a lead that is all of the condition, and of one with a short text beside it.
macro_rules! everything {
    () => {
        "(?1 IS NOT NULL AND (?12 IS NULL OR instr(lower(c.command), lower(?12)) > 0))"
    };
}

statements! {
    LIST = list!(newest!("l.organization_id = ?1"), everything!());
    LIST_ALL = list!(newest!("l.organization_id = ?1"), everything!(), counted_all!());
    LIST_OF_MACHINE = list!(newest!("l.machine_id = ?1"), everything!());
    LIST_ALL_OF_MACHINE = list!(newest!("l.machine_id = ?1"), everything!(), counted_all!());
    LIST_OF_SESSION = list!(newest!("l.machine_id = ?1 AND l.session_id = ?6"), everything!());
    LIST_BY_USER = list!(newest!("l.organization_id = ?1 AND l.user_id = ?5"), everything!());
    LIST_BY_EXIT_CODE = list!(newest!("l.organization_id = ?1 AND l.exit_code = ?8"), everything!());
    SEARCH = list!(with_text!("?1"), "c.organization_id = ?1");
    SEARCH_MACHINE = list!(with_text!("(SELECT organization_id FROM machines WHERE id = ?1)"), "c.machine_id = ?1");

    /// The newest on machines that the caller (?1) reaches, among the newest of the organization, as many as are looked at (?2).
    RECENT = concat!(
        "SELECT ", command_row!(), " FROM (SELECT l.key FROM command_logs l
           WHERE l.organization_id = (SELECT organization_id FROM users WHERE id = ?1) ORDER BY l.key DESC LIMIT ?2) listed
         CROSS JOIN command_logs c ON c.key = listed.key CROSS JOIN machines m ON m.id = c.machine_id CROSS JOIN users u ON u.id = ?1
         WHERE ", reaches!(), " LIMIT 10"
    );

    /// One row (?2) for the caller (?1). One of a machine that is gone is its organization's administrators'.
    FIND = concat!(
        "SELECT ", command_row!(), ", COALESCE(", reaches!(), ", 0) OR u.role = 'super_admin'
           OR (u.role = 'company_admin' AND c.organization_id = u.organization_id) AS reaches
         FROM users u JOIN command_logs c ON c.key = CAST(?2 AS INTEGER)
           AND (c.organization_id = u.organization_id OR u.role = 'super_admin')
         LEFT JOIN machines m ON m.id = c.machine_id WHERE u.id = ?1"
    );

    /// Takes keys for rows (?2, a JSON array) of a machine (?1).
    TAKE_KEYS = "UPDATE command_log_keys SET used = used + json_array_length(?2)
         WHERE organization_id = (SELECT organization_id FROM machines WHERE id = ?1)";

    /// Adds rows (?2, a JSON array) of a machine (?1), which have the newest keys. Who ran them, and from where, is theirs or their session's. One that is there
    /// already stays; of a machine that is gone none are added.
    INSERT = "INSERT INTO command_logs (key, id, organization_id, machine_id, machine_name, agent_id, user_id, username, session_id, source,
           browser, os_info, ip_address, command, text, seen, cwd, outcome, exit_code, started_at, duration_ms, command_id, stream,
           output_from, output_to, missing, policy)
         SELECT k.number * 4294967296 + k.used - json_array_length(?2) + 1 + r.key, r.value ->> 'id', m.organization_id, m.id, m.name, m.agent_id, COALESCE(r.value ->> 'user_id', s.user_id),
           COALESCE(r.value ->> 'username', s.username, ''), r.value ->> 'session_id', COALESCE(r.value ->> 'source', s.source, ''),
           COALESCE(r.value ->> 'browser', s.browser, ''), COALESCE(r.value ->> 'os_info', s.os, ''),
           COALESCE(r.value ->> 'ip_address', s.ip_address, ''), r.value ->> 'command', r.value ->> 'text', r.value ->> 'seen', r.value ->> 'cwd',
           r.value ->> 'outcome', r.value ->> 'exit_code', r.value ->> 'started_at', r.value ->> 'duration_ms',
           r.value ->> 'command_id', r.value ->> 'stream', r.value ->> 'from', r.value ->> 'to', r.value ->> 'missing', r.value ->> 'policy'
         FROM machines m JOIN command_log_keys k ON k.organization_id = m.organization_id CROSS JOIN json_each(?2) r LEFT JOIN terminal_sessions s
           ON s.session_id = r.value ->> 'session_id' AND s.organization_id = m.organization_id AND s.machine_id = m.id
         WHERE m.id = ?1 ORDER BY r.key ON CONFLICT (machine_id, id) DO NOTHING";

    /// What is masked in commands on a machine.
    MASKS_OF = "SELECT o.command_masks FROM machines m JOIN organizations o ON o.id = m.organization_id WHERE m.id = ?1";

    /// An organization by its name in URLs.
    ORGANIZATION = "SELECT id FROM organizations WHERE slug = ?1";
}

/// A row to be added.
#[derive(Debug, Clone, Serialize)]
pub struct NewCommand {
    pub id: ObjectId,
    pub session_id: String,
    pub text: &'static str,
    pub seen: &'static str,
    pub command: String,
    pub cwd: String,
    pub outcome: &'static str,
    pub exit_code: Option<i32>,
    /// As times are stored.
    pub started_at: String,
    pub duration_ms: Option<u64>,
    pub stream: Option<u32>,
    pub from: Option<u64>,
    pub to: Option<u64>,
    pub missing: u32,
    /// What the lists of programs had against it.
    pub policy: Option<&'static str>,
    /// Of what was sent and not typed, its number.
    pub command_id: Option<String>,
    /// Who sent it; of what was typed the session knows that.
    #[serde(flatten)]
    pub by: Option<Sender>,
}

/// Who sent a command, and from where.
#[derive(Debug, Clone, Serialize)]
pub struct Sender {
    pub user_id: ObjectId,
    pub username: String,
    pub source: String,
    pub browser: String,
    pub os_info: String,
    pub ip_address: String,
}

/// What is masked in an organization.
#[derive(Debug, Deserialize)]
pub struct MasksRow {
    #[serde(deserialize_with = "json")]
    pub command_masks: Vec<String>,
}

/// An organization by its row.
#[derive(Debug, Deserialize)]
pub struct OrganizationId {
    pub id: ObjectId,
}

/// A row: its fields in the order of `command_row!`.
#[derive(Debug, Deserialize)]
pub struct Command {
    pub key: u64,
    pub id: ObjectId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    pub agent_id: String,
    pub user_id: Option<String>,
    pub username: String,
    pub session_id: String,
    pub source: String,
    pub browser: String,
    pub os_info: String,
    pub ip_address: String,
    pub command: String,
    pub text: CommandText,
    pub seen: CommandSeen,
    pub cwd: String,
    pub outcome: CommandOutcome,
    pub exit_code: Option<i32>,
    pub started_at: DateTime<Utc>,
    pub duration_ms: Option<u64>,
    pub command_id: Option<String>,
    pub output_from: Option<u64>,
    pub output_to: Option<u64>,
    pub missing: u32,
    pub policy: Option<CommandAgainstPolicy>,
    /// What has its output.
    pub recording_id: Option<ObjectId>,
}

/// A row by itself.
#[derive(Debug, Deserialize)]
pub struct CommandRow {
    #[serde(deserialize_with = "json")]
    pub command: Command,
}

/// A row, and whether the caller may read it.
#[derive(Debug, Deserialize)]
pub struct FoundRow {
    #[serde(deserialize_with = "json")]
    pub command: Command,
    #[serde(deserialize_with = "flag")]
    pub reaches: bool,
}

/// A row of a list: the first says what was looked at, the others are what was found.
#[derive(Debug, Deserialize)]
pub struct ListedRow {
    #[serde(flatten)]
    pub read: Read,
    #[serde(deserialize_with = "optional_json")]
    pub command: Option<Command>,
}

/// What a list has looked at.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Read {
    /// How many rows.
    pub rows: u64,
    /// The oldest of them.
    pub oldest: Option<u64>,
    /// How many of them are meant.
    pub total: u64,
    /// The newest of these.
    pub newest: Option<u64>,
}

/// A part of the log to be read, with its statement chosen.
#[derive(Debug)]
pub struct Selection {
    statement: &'static str,
    lead: Arg,
    filter: Filter,
}

impl Selection {
    /// Of one machine.
    pub fn of_machine(access: &MachineAccess, filter: Filter) -> Self {
        let statement = match &filter {
            _ if filter.is_indexed() => SEARCH_MACHINE,
            Filter { session: Some(_), .. } => LIST_OF_SESSION,
            _ if filter.narrows() => LIST_OF_MACHINE,
            _ => LIST_ALL_OF_MACHINE,
        };
        let lead = (&access.found().machine.id).into();
        Self {
            statement,
            lead,
            filter,
        }
    }

    /// Of all machines of one organization.
    pub fn of_organization(organization: &ObjectId, filter: Filter) -> Self {
        let statement = match &filter {
            _ if filter.is_indexed() => SEARCH,
            Filter { user: Some(_), .. } => LIST_BY_USER,
            Filter { exit_code: Some(_), .. } => LIST_BY_EXIT_CODE,
            _ if filter.narrows() => LIST,
            _ => LIST_ALL,
        };
        let lead = organization.into();
        Self {
            statement,
            lead,
            filter,
        }
    }

    /// The key that the rows come after.
    pub fn after(&self) -> u64 {
        self.filter.after()
    }

    /// A page of it, and before that what was looked at for it.
    pub fn page(&self, limit: i64, offset: i64) -> Query<ListedRow> {
        let [b, c, d, e, f, g, h, i, j, k, l] = self.filter.args();
        let (a, m) = (self.lead.clone(), Arg::from(SCANNED as i64));
        let args = [a, b, c, d, e, f, g, h, i, j, k, l, m, limit.into(), offset.into()];
        Query::new(self.statement, args)
    }
}

/// What was run last on machines that the caller reaches: at most ten.
pub fn recent(caller: &ObjectId) -> Query<CommandRow> {
    Query::new(RECENT, [caller.into(), Arg::from(SCANNED as i64)])
}

/// One row by its key, if the caller may know of it.
pub fn find(caller: &ObjectId, key: u64) -> Query<FoundRow> {
    // Larger ones than a key can be are nobody's.
    let key = i64::try_from(key).unwrap_or(i64::MAX);
    Query::new(FIND, [caller.into(), key.into()])
}

/// Adds rows of a machine.
pub fn insert(machine: &ObjectId, new: &[NewCommand]) -> Result<(Query<Nothing>, Query<Nothing>), ApiError> {
    let rows = serde_json::to_string(new).map_err(ApiError::internal)?;
    let args = [machine.into(), Arg::from(rows)];
    Ok((Query::new(TAKE_KEYS, args.clone()), Query::new(INSERT, args)))
}

/// What is masked in commands on a machine.
pub fn masks_of(machine: &ObjectId) -> Query<MasksRow> {
    Query::new(MASKS_OF, [machine.into()])
}

/// One organization by its name in URLs.
pub fn organization(slug: &str) -> Query<OrganizationId> {
    Query::new(ORGANIZATION, [slug.into()])
}

#[cfg(test)]
mod tests;
