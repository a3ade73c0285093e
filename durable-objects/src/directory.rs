//! What the relay writes to D1, so that lists and searches need not ask every machine's object: whether a machine is
//! online and how it does, that a session is over, and how a command ended. Everything here may run twice.
use protocol::ids::{CommandId, ObjectId};
use protocol::relay_contract::AskedCommand;
use protocol::sql::statements;
use worker::d1::{D1Database, D1PreparedStatement};
use worker::wasm_bindgen::JsValue;
use worker::{Error, Result, js_sys};

use crate::log;
use crate::relay::{Facts, Figures, HostTrusted, Notice, UNKNOWN_AFTER};

/// The name of the D1 binding.
pub const BINDING: &str = "DB";

statements! {
    /// The agent's link stands. A revoked machine stays revoked.
    AGENT_ONLINE = "UPDATE machines SET status = 'online', is_connected = 1, last_active = ?2, \
        hostname = ?3, os = ?4, ip_address = ?5, linux_user = ?6, agent_version = ?7, metadata = ?8 \
        WHERE id = ?1 AND status <> 'revoked'";

    /// It is no runner, or not any more.
    NO_RUNNER = "DELETE FROM runners WHERE machine_id = ?1";

    /// The agent's link is gone.
    AGENT_OFFLINE = "UPDATE machines SET status = 'offline', is_connected = 0 WHERE id = ?1 AND status = 'online'";

    /// How the machine does.
    METRICS = "UPDATE machines SET cpu_percent = ?3, memory_percent = ?4, disk_percent = ?5, \
        network_inbound = ?6, network_outbound = ?7, uptime_seconds = ?8, last_active = ?2, metrics_at = ?2 WHERE id = ?1";

    /// What was measured up to ?2. A machine that is gone has no history.
    HISTORY = "INSERT INTO machine_metrics (machine_id, at, samples) SELECT id, ?2, ?3 FROM machines WHERE id = ?1 \
        ON CONFLICT (machine_id, at) DO NOTHING";

    /// What was measured longer ago than it is kept.
    OLD_HISTORY = "DELETE FROM machine_metrics WHERE machine_id = ?1 AND at < ?2";

    /// A session is over. One that was closed by the REST side already keeps its reason, and one that was opened again since
    /// stays open.
    SESSION_CLOSED = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?3, last_activity = ?3, \
        close_reason = ?4 WHERE machine_id = ?1 AND session_id = ?2 AND status = 'active' AND openings <= ?5";

    /// A session is recorded. The machine's name is kept with it, as the recording outlives the machine.
    RECORDING_STARTED = "INSERT INTO recordings (id, organization_id, machine_id, agent_id, machine_name, session_id, user_id, username,
          started_at, cols, rows, stream)
        SELECT ?2, m.organization_id, m.id, m.agent_id, m.name, ?3, ?4, ?5, ?6, CAST(?7 AS INTEGER), CAST(?8 AS INTEGER),
          CAST(?9 AS INTEGER)
        FROM machines m WHERE m.id = ?1
        ON CONFLICT (id) DO NOTHING";

    /// All of a recording is stored. One that the end of its machine has ended already gets its figures.
    RECORDING_ENDED = "UPDATE recordings SET state = ?4, ended_at = ?3, duration_ms = ?5, output_bytes = ?6, size_bytes = ?7,
          exit_code = ?8, expires_at = (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?3, '+' || o.recording_days || ' days')
            FROM organizations o WHERE o.id = recordings.organization_id AND o.recording_days > 0)
        WHERE machine_id = ?1 AND id = ?2";

    /// A command was handed to the agent. One that ended is not told of again.
    COMMAND_SENT = "UPDATE commands SET status = 'sent', sent_at = ?3 WHERE id = ?2 AND machine_id = ?1 AND finished_at IS NULL";

    /// A command is over. The first end stays.
    COMMAND_ENDED = "UPDATE commands SET status = ?3, exit_code = ?4, signal = ?5, error = ?6, truncated = ?7, \
        duration_ms = ?8, finished_at = ?9 WHERE id = ?2 AND machine_id = ?1 AND finished_at IS NULL";

    /// Whose machine it is.
    ORGANIZATION = "SELECT organization_id FROM machines WHERE id = ?1";

    /// Whatever is listed and not among the sessions there are (?2, a JSON array) is over, unless it was opened after ?3 or still waits
    /// for its client.
    UNKNOWN_CLOSED = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?4, close_reason = 'not_found' \
        WHERE machine_id = ?1 AND status = 'active' AND last_activity < ?3 \
        AND (attach_until IS NULL OR attach_until <= ?4) \
        AND session_id NOT IN (SELECT value FROM json_each(?2))";
}

/// The organization of a machine; none if the machine is gone.
pub async fn organization(db: &D1Database, machine: &ObjectId) -> Result<Option<ObjectId>> {
    let id = db
        .prepare(ORGANIZATION)
        .bind(&[JsValue::from_str(machine.as_str())])?
        .first::<String>(Some("organization_id"))
        .await?;
    Ok(id.and_then(|id| id.parse().ok()))
}

/// Writes notices, in order. One that the database refuses for what it says is dropped with a line in the log: it would be
/// refused for ever, and must not be in the way of those behind it.
pub async fn deliver(db: &D1Database, machine: &ObjectId, notices: &[Notice]) -> Result<()> {
    match batch(db, machine, notices).await {
        Err(error) if is_refusal(&error) => {}
        other => return other,
    }
    for notice in notices {
        match batch(db, machine, std::slice::from_ref(notice)).await {
            Err(error) if is_refusal(&error) => {
                // Only of which kind it was: a command that was asked for stands in one.
                let said = format!("{notice:?}");
                let kind = said.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                log::error(&format!(
                    "the directory refuses a notice, which is dropped: {error}: {kind}"
                ));
            }
            other => other?,
        }
    }
    Ok(())
}

async fn batch(db: &D1Database, machine: &ObjectId, notices: &[Notice]) -> Result<()> {
    let mut statements = Vec::with_capacity(notices.len());
    for notice in notices {
        statements.extend(statement(db, machine, notice)?);
        if let Notice::AgentOnline { runner: false, .. } = notice {
            let machine = JsValue::from_str(machine.as_str());
            statements.push(db.prepare(NO_RUNNER).bind(&[machine])?);
        }
    }
    if statements.is_empty() {
        return Ok(());
    }
    db.batch(statements).await.map(|_| ())
}

/// Writes how a machine does, and what was measured before.
pub async fn tell(db: &D1Database, machine: &ObjectId, figures: &Figures) -> Result<()> {
    let Figures {
        metrics,
        at,
        history,
        health: _,
    } = figures;
    let id = JsValue::from_str(machine.as_str());
    let mut statements = vec![db.prepare(METRICS).bind(&[
        id.clone(),
        time(*at),
        metrics.cpu_percent.into(),
        metrics.memory_percent.into(),
        metrics.disk_percent.into(),
        metrics.network_inbound.into(),
        metrics.network_outbound.into(),
        (metrics.uptime_seconds as f64).into(),
    ])?];
    if let Some(series) = history {
        let samples = JsValue::from_str(&serde_json::to_string(series)?);
        statements.push(db.prepare(HISTORY).bind(&[id.clone(), time(*at), samples])?);
        let before = time(at.saturating_sub(HISTORY_KEPT));
        statements.push(db.prepare(OLD_HISTORY).bind(&[id, before])?);
    }
    db.batch(statements).await.map(|_| ())
}

/// The commands that notices say were asked for in terminals. Their rows are written by who has the rest of the rows.
pub fn asked_commands(notices: &[Notice]) -> Vec<AskedCommand> {
    let asked = notices.iter().filter_map(|notice| match notice {
        Notice::CommandAsked(asked) => Some(asked.clone()),
        _ => None,
    });
    asked.collect()
}

/// The commands that notices say wait for somebody to approve them, and why they do.
pub fn awaiting_commands(notices: &[Notice]) -> Vec<(CommandId, String)> {
    let awaiting = notices.iter().filter_map(|notice| match notice {
        Notice::CommandAwaits { command_id, error } => Some((command_id.clone(), error.clone())),
        _ => None,
    });
    awaiting.collect()
}

/// The hosts that notices say are trusted from now on. Their entries are written by who has the log.
pub fn trusted_hosts(notices: &[Notice]) -> Vec<HostTrusted> {
    let trusted = notices.iter().filter_map(|notice| match notice {
        Notice::HostTrusted(trusted) => Some(trusted.clone()),
        _ => None,
    });
    trusted.collect()
}

/// The commands that notices say have ended.
pub fn ended_commands(notices: &[Notice]) -> Vec<CommandId> {
    let ended = notices.iter().filter_map(|notice| match notice {
        Notice::CommandEnded { command_id, .. } => Some(command_id.clone()),
        _ => None,
    });
    ended.collect()
}

/// Whether the database refuses what it was given, rather than being out of reach.
fn is_refusal(error: &Error) -> bool {
    is_refused(&error.to_string())
}

/// The same, by the words of D1: SQLite's own for a value it cannot store, and D1's for one it cannot bind.
pub fn is_refused(text: &str) -> bool {
    [
        "constraint",
        "datatype mismatch",
        "D1_TYPE_ERROR",
        "too big",
        "out of range",
        "cannot store",
    ]
    .iter()
    .any(|words| text.contains(words))
}

fn statement(db: &D1Database, machine: &ObjectId, notice: &Notice) -> Result<Option<D1PreparedStatement>> {
    let machine = JsValue::from_str(machine.as_str());
    let statement = match notice {
        Notice::CommandAsked(_) | Notice::CommandAwaits { .. } | Notice::HostTrusted(_) => return Ok(None),
        Notice::AgentOnline { facts, at, runner: _ } => {
            let Facts {
                version,
                hostname,
                os,
                ip_address,
                linux_user,
                metadata,
            } = facts;
            let metadata = serde_json::to_string(metadata)?;
            let texts = [hostname, os, ip_address, &linux_user.username, version].map(|text| JsValue::from_str(text));
            let mut values = vec![machine, time(*at)];
            values.extend(texts);
            values.push(JsValue::from_str(&metadata));
            db.prepare(AGENT_ONLINE).bind(&values)
        }
        Notice::AgentOffline { at: _ } => db.prepare(AGENT_OFFLINE).bind(&[machine]),
        Notice::SessionClosed {
            session_id,
            reason,
            at,
            opening,
        } => {
            let session = JsValue::from_str(session_id.as_str());
            let opening = f64::from(*opening).into();
            db.prepare(SESSION_CLOSED)
                .bind(&[machine, session, time(*at), JsValue::from_str(reason), opening])
        }
        Notice::RecordingStarted {
            recording,
            session_id,
            stream,
            user,
            username,
            size,
            at,
        } => db.prepare(RECORDING_STARTED).bind(&[
            machine,
            JsValue::from_str(recording.as_str()),
            JsValue::from_str(session_id.as_str()),
            JsValue::from_str(user.as_str()),
            JsValue::from_str(username),
            time(*at),
            size.cols.into(),
            size.rows.into(),
            stream.0.into(),
        ]),
        Notice::RecordingEnded {
            recording,
            at,
            milliseconds,
            output_bytes,
            bytes,
            outcome,
            exit_code,
        } => db.prepare(RECORDING_ENDED).bind(&[
            machine,
            JsValue::from_str(recording.as_str()),
            time(*at),
            JsValue::from_str(outcome.as_str()),
            (*milliseconds as f64).into(),
            (*output_bytes as f64).into(),
            (*bytes as f64).into(),
            exit_code.map_or(JsValue::NULL, JsValue::from),
        ]),
        Notice::CommandSent { command_id, at } => {
            let command = JsValue::from_str(command_id.as_str());
            db.prepare(COMMAND_SENT).bind(&[machine, command, time(*at)])
        }
        Notice::CommandEnded {
            command_id,
            status,
            exit_code,
            signal,
            error,
            truncated,
            duration_ms,
            at,
        } => db.prepare(COMMAND_ENDED).bind(&[
            machine,
            JsValue::from_str(command_id.as_str()),
            JsValue::from_str(status.as_str()),
            exit_code.map_or(JsValue::NULL, |code| f64::from(code).into()),
            optional(signal.as_deref()),
            optional(error.as_deref()),
            f64::from(u8::from(*truncated)).into(),
            // A whole number of them is one that a double holds.
            duration_ms.map_or(JsValue::NULL, |ms| (ms.min(LONGEST_MS) as f64).into()),
            time(*at),
        ]),
        Notice::Known { sessions, at } => {
            let sessions = serde_json::to_string(sessions)?;
            let before = time(at.saturating_sub(UNKNOWN_AFTER));
            db.prepare(UNKNOWN_CLOSED)
                .bind(&[machine, JsValue::from_str(&sessions), before, time(*at)])
        }
    };
    statement.map(Some)
}

/// How long what was measured is kept, in milliseconds: a week. At an hour a row that is 168 rows of two kilobytes for each machine.
const HISTORY_KEPT: u64 = 7 * 24 * 3600 * 1000;

/// A command that ran longer than this did not: whole numbers up to 2⁵³ travel unharmed.
const LONGEST_MS: u64 = 1 << 53;

fn optional(text: Option<&str>) -> JsValue {
    text.map_or(JsValue::NULL, JsValue::from_str)
}

fn time(ms: u64) -> JsValue {
    js_sys::Date::new(&JsValue::from_f64(ms as f64)).to_iso_string().into()
}

#[cfg(test)]
mod tests;
