//! SQL of commands. How far one has come is written by the relay (`durable-objects/src/directory.rs`), except where no relay has
//! it.
pub mod over;

use protocol::ids::{CommandId, ObjectId};
use protocol::relay_contract::AskedCommand;
use serde_json::json;

use super::access::{CommandControl, CommandDecision, RunRight};
use super::row::{AskerRow, AwaitingRow, Ended, FoundCommand, Listed, ScriptRow, TargetRow};
use crate::auth::account_store::is_active;
use crate::auth::caller::Caller;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::predicates::{in_sight, manages, may_sudo, reaches};
use crate::features::organizations::access::session_limits;
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, statements};

/// A [`super::row::CommandRow`] as one JSON text, its fields in order, with this much of the text.
macro_rules! command_row {
    ($text:literal) => {
        concat!(
            "json_array(k.id, k.batch_id, k.session_id, m.agent_id, k.machine_id, m.name, k.user_id, k.username,
               COALESCE((SELECT s.source FROM terminal_sessions s WHERE s.session_id = k.session_id), k.source), ",
            $text,
            ", k.sudo, k.status, k.exit_code, k.signal, k.error, k.decided_by, k.decided_at,
               k.decision_reason, k.truncated, k.duration_ms, k.created_at, k.sent_at,
               k.finished_at) AS command"
        )
    };
}

/// The commands of an organization on the machines that the caller (?1) reaches, narrowed by a status (?2).
macro_rules! of_organization {
    () => {
        concat!(
            " FROM users u JOIN commands k ON k.organization_id = u.organization_id JOIN machines m ON m.id = k.machine_id
             WHERE u.id = ?1 AND ", reaches!(), " AND (?2 IS NULL OR k.status = ?2)"
        )
    };
}

/// The same, of those that were sent together (?3).
macro_rules! of_batch {
    () => {
        concat!(
            " FROM users u JOIN commands k ON k.batch_id = ?3 JOIN machines m ON m.id = k.machine_id AND ",
            in_sight!(),
            " WHERE u.id = ?1 AND ",
            reaches!(),
            " AND (?2 IS NULL OR k.status = ?2)"
        )
    };
}

macro_rules! of_machine {
    () => {
        " FROM machines m JOIN commands k ON k.machine_id = m.id WHERE m.id = ?1 AND (?2 IS NULL OR k.status = ?2)"
    };
}

/// A [`super::row::TargetMachine`] and what the caller may do there.
macro_rules! target {
    () => {
        concat!(
            "CASE WHEN m.id IS NULL THEN 'null' ELSE json_object('id', m.id, 'agent_id', m.agent_id, 'name', m.name,
               'organization_id', m.organization_id, 'is_connected', m.is_connected, 'revoked', m.status = 'revoked',
               'limits', json((SELECT ", session_limits!(), " FROM organizations o WHERE o.id = m.organization_id))) END AS machine,
             COALESCE(", reaches!(), ", 0) AS reaches, COALESCE(", may_sudo!(), ", 0) AS may_sudo"
        )
    };
}

/// Whether the caller (`u`) decides of a command (`k`) on a machine (`m`): administrators do, but not of what is their own while
/// there is another.
macro_rules! may_decide {
    () => {
        concat!(
            "((u.role = 'super_admin' OR (u.role = 'company_admin' AND m.organization_id = u.organization_id))
               AND (k.user_id <> u.id OR NOT EXISTS (SELECT 1 FROM organizations o JOIN users u ON u.organization_id = o.id
                 WHERE o.id = m.organization_id AND u.id <> k.user_id AND u.role <> 'user' AND ",
            $crate::auth::account_store::is_active!(),
            ")))"
        )
    };
}

statements! {
    /// A row for each machine of a JSON array (?2), in one statement: the text may be long, and is sent once.
    INSERT = "INSERT INTO commands (id, organization_id, machine_id, user_id, username, batch_id, source, command, timeout_seconds,
           sudo, token_version, key_id, created_at)
         SELECT t.value ->> 'id', m.organization_id, m.id, u.id, u.username, ?3, 'api', ?4, ?5, t.value ->> 'sudo', ?6, ?7, ?8
         FROM json_each(?2) t CROSS JOIN machines m ON m.id = t.value ->> 'machine' CROSS JOIN users u ON u.id = ?1";

    /// A machine (?1), an account (?2) and what is known of its session there (?3).
    ASKER = "SELECT m.organization_id, m.name AS machine_name, m.agent_id, u.username, COALESCE(s.source, '') AS source,
           COALESCE(s.ip_address, '') AS ip_address, COALESCE(s.user_agent, '') AS user_agent
         FROM machines m JOIN users u ON u.id = ?2
         LEFT JOIN terminal_sessions s ON s.session_id = ?3 AND s.machine_id = m.id WHERE m.id = ?1";

    /// A command that was asked for in a terminal. One that is there already stays.
    INSERT_ASKED = "INSERT INTO commands (id, organization_id, machine_id, user_id, username, session_id, source, command,
           timeout_seconds, sudo, status, created_at, sent_at)
         SELECT ?2, m.organization_id, m.id, u.id, u.username, ?4, 'api', ?5, ?6, ?7, 'sent', ?8, ?8
         FROM machines m JOIN users u ON u.id = ?3 WHERE m.id = ?1 ON CONFLICT (id) DO NOTHING";

    /// The script that a machine runs once: with its first enrolment, and never again. It is its owner's.
    INSERT_SCRIPT = concat!(
        "INSERT INTO commands (id, organization_id, machine_id, user_id, username, source, command, timeout_seconds, sudo, created_at)
         SELECT ?2, m.organization_id, m.id, u.id, u.username, 'script', m.custom_script, ?3, ", may_sudo!(), ", ?4
         FROM machines m JOIN users u ON u.id = m.owner_id
         WHERE m.id = ?1 AND m.custom_script <> '' AND m.agent_public_key = ?5
           AND NOT EXISTS (SELECT 1 FROM commands k WHERE k.machine_id = m.id AND k.source = 'script')"
    );

    /// The script of a machine, while its relay may not have it.
    WAITING_SCRIPT = concat!(
        "SELECT k.id AS command_id, k.machine_id, m.agent_id, k.user_id, k.username, k.command, k.timeout_seconds, k.sudo, ",
        session_limits!(), " AS limits
         FROM commands k JOIN machines m ON m.id = k.machine_id JOIN organizations o ON o.id = m.organization_id
         WHERE k.machine_id = ?1 AND k.source = 'script' AND k.finished_at IS NULL AND k.status = 'queued'"
    );

    /// Those of some commands (?2, a JSON array) of a machine (?1) that have ended.
    ENDED = concat!(
        "SELECT ", command_row!("k.command"), ", k.organization_id FROM json_each(?2) e JOIN commands k ON k.id = e.value
         JOIN machines m ON m.id = k.machine_id WHERE k.machine_id = ?1 AND k.finished_at IS NOT NULL ORDER BY e.key"
    );

    /// The relay did not take it.
    REFUSE = "UPDATE commands SET status = 'failed', error = ?2, finished_at = ?3
         WHERE id IN (SELECT value FROM json_each(?1)) AND finished_at IS NULL";

    /// The machine's agent wants it approved, for a reason (?3). Once: of one that was decided of, or has ended, that is old.
    AWAIT = "UPDATE commands SET status = 'awaiting_approval', error = ?3, sent_at = NULL
         WHERE id = ?2 AND machine_id = ?1 AND finished_at IS NULL AND decided_at IS NULL AND status <> 'awaiting_approval'";

    /// A command (?2) of a machine (?1) that waits for approval, and those who decide of it.
    AWAITING = concat!(
        "SELECT m.organization_id, m.name AS machine_name, m.agent_id, k.user_id, k.username,
           json((SELECT json_group_array(u.email ORDER BY u.id = k.user_id, u.int_id) FROM organizations o
              JOIN users u ON u.organization_id = o.id
              WHERE o.id = m.organization_id AND u.role <> 'user' AND ", is_active!(), ")) AS deciders
         FROM commands k JOIN machines m ON m.id = k.machine_id
         WHERE k.id = ?2 AND k.machine_id = ?1 AND k.finished_at IS NULL AND k.decided_at IS NULL AND k.status <> 'awaiting_approval'"
    );

    /// It was approved (?5), and waits for its machine; or it was rejected, and its relay ends it. Once.
    DECIDE = "UPDATE commands SET decided_by = ?2, decided_at = ?3, decision_reason = NULLIF(?4, ''),
           status = IIF(?5, 'queued', status), error = IIF(?5, NULL, error)
         WHERE id = ?1 AND status = 'awaiting_approval' AND decided_at IS NULL";

    FIND = concat!(
        "SELECT ", command_row!("k.command"), ", k.organization_id, ", reaches!(), " AS reaches,
           (k.user_id = u.id OR ", manages!(), ") AS may_cancel, ", may_decide!(), " AS may_decide
         FROM users u JOIN commands k ON k.id = ?2 JOIN machines m ON m.id = k.machine_id AND ", in_sight!(), " WHERE u.id = ?1"
    );

    LIST_OF_ORGANIZATION = concat!(
        "SELECT ", command_row!("substr(k.command, 1, 1000)"), of_organization!(), " ORDER BY k.id DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT_OF_ORGANIZATION = concat!("SELECT COUNT(*) AS total", of_organization!());

    LIST_OF_BATCH = concat!(
        "SELECT ", command_row!("substr(k.command, 1, 1000)"), of_batch!(), " ORDER BY k.id DESC LIMIT ?4 OFFSET ?5"
    );

    COUNT_OF_BATCH = concat!("SELECT COUNT(*) AS total", of_batch!());

    LIST_OF_MACHINE = concat!(
        "SELECT ", command_row!("substr(k.command, 1, 1000)"), of_machine!(), " ORDER BY k.id DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT_OF_MACHINE = concat!("SELECT COUNT(*) AS total", of_machine!());

    /// The machines of a JSON array of public names (?2), in its order, whether the caller may know of them or not.
    TARGETS_NAMED = concat!(
        "SELECT n.value AS named, ", target!(), " FROM users u CROSS JOIN json_each(?2) n
         LEFT JOIN machines m ON m.agent_id = n.value AND ", in_sight!(), " WHERE u.id = ?1 ORDER BY n.key"
    );

    /// The machines of the caller's organization that it reaches and that have a tag (?2).
    TARGETS_TAGGED = concat!(
        "SELECT m.agent_id AS named, ", target!(), " FROM users u JOIN machines m ON m.organization_id = u.organization_id
         WHERE u.id = ?1 AND ", reaches!(), " AND m.status <> 'revoked'
           AND EXISTS (SELECT 1 FROM json_each(m.tags) WHERE value = ?2) ORDER BY m.name, m.id LIMIT ?3"
    );

    /// What no relay will tell of any more: it was lost before a relay had it, or its relay has given it up and could not say so.
    GIVE_UP = "UPDATE commands SET status = 'unknown', error = 'what came of it is not known', finished_at = ?3
         WHERE finished_at IS NULL AND id IN (SELECT id FROM commands WHERE finished_at IS NULL
           AND created_at < IIF(status = 'queued' AND decided_at IS NULL, ?1, ?2) LIMIT ?4)";
}

/// A command for one machine or for many.
#[derive(Debug)]
pub struct NewCommands<'a> {
    /// What they have in common, if they are for many.
    pub batch: Option<&'a ObjectId>,
    pub command: &'a str,
    pub timeout_seconds: u32,
    pub now: &'a str,
}

/// Writes rows that wait for their relays.
pub fn insert(caller: &Caller, new: &NewCommands, targets: &[(CommandId, RunRight)]) -> Query<Nothing> {
    let target = |(id, right): &(CommandId, RunRight)| json!({"id": id, "machine": right.machine(), "sudo": i32::from(right.sudo())});
    let targets = serde_json::Value::from_iter(targets.iter().map(target)).to_string();
    let proof = caller.relay_proof();
    // A key counts as long as it is there; a sign-in until the account ends all of them.
    let key = proof
        .sign_in
        .strip_prefix("key:")
        .filter(|_| proof.token_version.is_none());
    Query::new(
        INSERT,
        [
            caller.id().into(),
            targets.into(),
            Arg::from(new.batch.map(ObjectId::as_str)),
            new.command.into(),
            i64::from(new.timeout_seconds).into(),
            proof.token_version.into(),
            key.into(),
            new.now.into(),
        ],
    )
}

/// Who asks for a command in a terminal of a machine, and from where.
pub fn asker(machine: &ObjectId, asked: &AskedCommand) -> Query<AskerRow> {
    let session = asked.session_id.as_str().into();
    Query::new(ASKER, [machine.into(), (&asked.user).into(), session])
}

/// Writes a command that a machine was told of, asked for in one of its terminals.
pub fn insert_asked(machine: &ObjectId, asked: &AskedCommand, at: &str) -> Query<Nothing> {
    Query::new(
        INSERT_ASKED,
        [
            machine.into(),
            asked.command_id.as_str().into(),
            (&asked.user).into(),
            asked.session_id.as_str().into(),
            asked.command.as_str().into(),
            i64::from(asked.timeout_seconds).into(),
            i64::from(asked.allow_sudo).into(),
            at.into(),
        ],
    )
}

/// Writes the script of a machine that has just been given this key, if it has one and never ran it.
pub fn insert_script(
    machine: &ObjectId,
    id: &CommandId,
    public_key: &str,
    timeout_seconds: u32,
    now: &str,
) -> Query<Nothing> {
    let timeout = i64::from(timeout_seconds).into();
    Query::new(
        INSERT_SCRIPT,
        [
            machine.into(),
            id.as_str().into(),
            timeout,
            now.into(),
            public_key.into(),
        ],
    )
}

/// The script of a machine, while its relay may not have it.
pub fn waiting_script(machine: &ObjectId) -> Query<ScriptRow> {
    Query::new(WAITING_SCRIPT, [machine.into()])
}

/// The relay did not take them, for this reason.
pub fn refuse(ids: &[&CommandId], error: &str, now: &str) -> Query<Nothing> {
    Query::new(REFUSE, [json!(ids).to_string().into(), error.into(), now.into()])
}

/// Those of some commands of a machine that have ended.
pub fn ended(machine: &ObjectId, ids: &[CommandId]) -> Query<Ended> {
    Query::new(ENDED, [machine.into(), json!(ids).to_string().into()])
}

/// A machine's agent wants a command approved, for a reason.
pub fn await_approval(machine: &ObjectId, id: &CommandId, why: &str) -> Query<Nothing> {
    Query::new(AWAIT, [machine.into(), id.as_str().into(), why.into()])
}

/// What is told of that, unless it was before.
pub fn awaiting(machine: &ObjectId, id: &CommandId) -> Query<AwaitingRow> {
    Query::new(AWAITING, [machine.into(), id.as_str().into()])
}

/// Writes down what was decided of a command, unless something was before.
pub fn decide(decision: &CommandDecision, approve: bool, reason: &str, now: &str) -> Query<Nothing> {
    Query::new(
        DECIDE,
        [
            decision.id().as_str().into(),
            decision.caller().username().into(),
            now.into(),
            reason.into(),
            approve.into(),
        ],
    )
}

/// A command, if the caller may know of it.
pub fn find(caller: &ObjectId, id: &str) -> Query<FoundCommand> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// The same again, after something was done.
pub fn find_again(control: &CommandControl) -> Query<FoundCommand> {
    find(control.caller().id(), control.id().as_str())
}

/// Which commands to list.
#[derive(Debug)]
pub enum Filter<'a> {
    /// Those of the caller's organization.
    Organization(&'a ObjectId),
    /// Those that were sent together.
    Batch(&'a ObjectId, &'a str),
    /// Those of one machine.
    Machine(&'a MachineAccess),
}

/// Commands, newest first, and how many there are on all pages together.
pub fn list(filter: &Filter, status: Option<&str>, page: Page) -> (Query<Listed>, Query<Count>) {
    let (limit, offset) = page.window();
    let [limit, offset, status]: [Arg; 3] = [limit.into(), offset.into(), status.into()];
    match filter {
        Filter::Organization(caller) => {
            let caller = Arg::from(*caller);
            (
                Query::new(LIST_OF_ORGANIZATION, [caller.clone(), status.clone(), limit, offset]),
                Query::new(COUNT_OF_ORGANIZATION, [caller, status]),
            )
        }
        Filter::Batch(caller, batch) => {
            let [caller, batch] = [Arg::from(*caller), (*batch).into()];
            (
                Query::new(
                    LIST_OF_BATCH,
                    [caller.clone(), status.clone(), batch.clone(), limit, offset],
                ),
                Query::new(COUNT_OF_BATCH, [caller, status, batch]),
            )
        }
        Filter::Machine(access) => {
            let machine = Arg::from(&access.found().machine.id);
            (
                Query::new(LIST_OF_MACHINE, [machine.clone(), status.clone(), limit, offset]),
                Query::new(COUNT_OF_MACHINE, [machine, status]),
            )
        }
    }
}

/// The machines that a request names.
pub fn targets_named(caller: &ObjectId, agent_ids: &[&str]) -> Query<TargetRow> {
    Query::new(TARGETS_NAMED, [caller.into(), json!(agent_ids).to_string().into()])
}

/// The machines with a tag, at most `limit`.
pub fn targets_tagged(caller: &ObjectId, tag: &str, limit: usize) -> Query<TargetRow> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Query::new(TARGETS_TAGGED, [caller.into(), tag.into(), limit.into()])
}

/// Ends what nobody will tell of: queued before one time, or sent and created before another.
pub fn give_up(queued_before: &str, sent_before: &str, now: &str, at_once: i64) -> Query<Nothing> {
    Query::new(
        GIVE_UP,
        [queued_before.into(), sent_before.into(), now.into(), at_once.into()],
    )
}

#[cfg(test)]
mod tests;
