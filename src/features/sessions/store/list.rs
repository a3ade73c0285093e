//! SQL of the lists of sessions.
use protocol::api::sessions::SessionStatus;
use protocol::ids::ObjectId;

use super::shown;
use crate::features::machines::access::MachineAccess;
use crate::features::sessions::row::SessionRow;
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Query, statements};

/// How many sessions a list counts. Of more, this is said.
const COUNTED: i64 = 10_000;

/// What lies behind every time as times are stored.
const FOR_EVER: &str = "~";

/// SQL: the newest sessions, as many as ?12, that one way leads to: through an index, to those it is about. They are narrowed by a
/// machine (?6, its `id` or public name), an account (?7), and when they began (?8, ?9).
macro_rules! newest {
    ($name:literal, $from:expr, $whose:literal) => {
        concat!(
            "SELECT * FROM (SELECT s.id, s.started_at FROM users u ",
            $from,
            " WHERE u.id = ?1 AND ",
            $whose,
            " AND s.started_at >= ?8 AND s.started_at < ?9 AND (?7 IS NULL OR s.user_id = ?7)
              AND (?6 IS NULL OR s.machine_id = (SELECT x.id FROM machines x WHERE x.id = ?6 OR x.agent_id = ?6))
             ORDER BY s.started_at DESC, s.id DESC LIMIT ?12) listed_",
            $name
        )
    };
}

/// SQL: the sessions of the caller's (?1) list. People have their own; an administrator, unless it wants no more than that (?2), has
/// its organization's, and a super administrator those of one (?4) or of all. With ?3 people have those on their machines, too.
macro_rules! listed {
    ($of_user:literal, $of_machine:literal, $of_organization:literal, $of_all:literal, $status:literal) => {
        concat!(
            newest!("own", concat!("JOIN terminal_sessions s INDEXED BY ", $of_user, " ON s.user_id = u.id AND ", $status),
                "(?2 OR u.role = 'user')"),
            " UNION ",
            newest!("owned", concat!("JOIN machines k ON k.owner_id = u.id JOIN terminal_sessions s INDEXED BY ", $of_machine,
                " ON s.machine_id = k.id AND ", $status), "NOT ?2 AND ?3 AND u.role = 'user'"),
            " UNION ",
            newest!("organization", concat!("JOIN terminal_sessions s INDEXED BY ", $of_organization, " ON s.organization_id =
                CASE u.role WHEN 'super_admin' THEN (SELECT id FROM organizations WHERE slug = ?4) ELSE u.organization_id END AND ", $status),
                "NOT ?2 AND (u.role = 'company_admin' OR (u.role = 'super_admin' AND ?4 IS NOT NULL))"),
            " UNION ",
            newest!("all", concat!("JOIN terminal_sessions s INDEXED BY ", $of_all, " ON ", $status),
                "NOT ?2 AND u.role = 'super_admin' AND ?4 IS NULL")
        )
    };
}

/// Those that are not over. Closed ones, which are nearly all, cost this list nothing.
macro_rules! active {
    () => {
        listed!(
            "terminal_sessions_active_of_user",
            "terminal_sessions_active_of_machine",
            "terminal_sessions_active",
            "terminal_sessions_active",
            "s.status = 'active'"
        )
    };
}

/// Those of one state (?5), or of any.
macro_rules! any {
    () => {
        listed!(
            "terminal_sessions_by_user",
            "terminal_sessions_by_machine",
            "terminal_sessions_by_organization",
            "terminal_sessions_by_start",
            "(?5 IS NULL OR s.status = ?5)"
        )
    };
}

/// SQL: a page (?10, ?11) of sessions, newest first.
macro_rules! page {
    ($listed:expr) => {
        concat!(
            "SELECT ",
            shown!(),
            " FROM (",
            $listed,
            ") listed JOIN terminal_sessions s ON s.id = listed.id
             JOIN machines m ON m.id = s.machine_id JOIN users w ON w.id = s.user_id
             ORDER BY listed.started_at DESC, listed.id DESC LIMIT ?10 OFFSET ?11"
        )
    };
}

/// SQL: a page (?2, ?3) of the sessions of a machine (?1), newest first.
macro_rules! page_of_machine {
    ($index:literal, $status:literal) => {
        concat!(
            "SELECT ",
            shown!(),
            " FROM terminal_sessions s INDEXED BY ",
            $index,
            " JOIN machines m ON m.id = s.machine_id
             JOIN users w ON w.id = s.user_id WHERE s.machine_id = ?1 AND ",
            $status,
            " ORDER BY s.started_at DESC, s.id DESC LIMIT ?2 OFFSET ?3"
        )
    };
}

statements! {
    LIST_ACTIVE = page!(active!());
    COUNT_ACTIVE = concat!("SELECT COUNT(*) AS total FROM (", active!(), ") listed");
    LIST_ANY = page!(any!());
    COUNT_ANY = concat!("SELECT COUNT(*) AS total FROM (", any!(), ") listed");

    LIST_OF_MACHINE = page_of_machine!("terminal_sessions_by_machine", "s.started_at > ''");
    COUNT_OF_MACHINE = "SELECT COUNT(*) AS total FROM terminal_sessions s WHERE s.machine_id = ?1";
    LIST_ACTIVE_OF_MACHINE = page_of_machine!("terminal_sessions_active_of_machine", "s.status = 'active'");
    COUNT_ACTIVE_OF_MACHINE = "SELECT COUNT(*) AS total FROM terminal_sessions s WHERE s.machine_id = ?1 AND s.status = 'active'";
}

/// Which sessions to list. Texts may be anything: what names nothing finds nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only the caller's own, also where it may list others.
    pub mine: bool,
    /// Also those of others on machines that the caller owns.
    pub owned: bool,
    /// One organization's slug; only a super administrator's counts.
    pub tenant: Option<String>,
    /// Those in this state, or in any.
    pub status: Option<SessionStatus>,
    /// On one machine, by its `id` or public name.
    pub machine: Option<String>,
    /// Of one account, by its `id`.
    pub user: Option<String>,
    /// The first moment at which they began, as times are stored…
    pub from: Option<String>,
    /// …and the first that is too late.
    pub until: Option<String>,
}

impl Filter {
    fn args(&self, caller: &ObjectId, (limit, offset): (i64, i64), depth: i64) -> [Arg; 12] {
        let text = |text: &Option<String>| Arg::from(text.as_deref().filter(|text| !text.is_empty()));
        let status = self.status.map(|status| match status {
            SessionStatus::Active => "active",
            SessionStatus::Closed => "closed",
        });
        [
            caller.into(),
            self.mine.into(),
            self.owned.into(),
            text(&self.tenant),
            status.into(),
            text(&self.machine),
            text(&self.user),
            self.from.as_deref().unwrap_or_default().into(),
            self.until.as_deref().unwrap_or(FOR_EVER).into(),
            limit.into(),
            offset.into(),
            depth.into(),
        ]
    }
}

/// A page of the sessions that the caller may list, newest first, and how many there are.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> (Query<SessionRow>, Query<Count>) {
    let (list, count) = match filter.status {
        Some(SessionStatus::Active) => (LIST_ACTIVE, COUNT_ACTIVE),
        Some(SessionStatus::Closed) | None => (LIST_ANY, COUNT_ANY),
    };
    let (limit, offset) = page.window();
    (
        Query::new(list, filter.args(caller, (limit, offset), limit.saturating_add(offset))),
        Query::new(count, filter.args(caller, (limit, offset), COUNTED)),
    )
}

/// A page of the sessions of a machine, newest first, and how many there are.
pub fn of_machine(access: &MachineAccess, active: bool, page: Page) -> (Query<SessionRow>, Query<Count>) {
    let (list, count) = match active {
        true => (LIST_ACTIVE_OF_MACHINE, COUNT_ACTIVE_OF_MACHINE),
        false => (LIST_OF_MACHINE, COUNT_OF_MACHINE),
    };
    let (machine, (limit, offset)) = (&access.found().machine.id, page.window());
    (
        Query::new(list, [machine.into(), limit.into(), offset.into()]),
        Query::new(count, [machine.into()]),
    )
}
