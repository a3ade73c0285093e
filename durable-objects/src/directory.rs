//! What the relay writes to D1, so that lists and searches need not ask every machine's object: whether a machine is
//! online and how it does, and that a session is over. Everything here may run twice.
use protocol::ids::ObjectId;
use protocol::sql::statements;
use worker::d1::{D1Database, D1PreparedStatement};
use worker::wasm_bindgen::JsValue;
use worker::{Result, js_sys};

use crate::relay::{Facts, Notice};

/// The name of the D1 binding.
pub const BINDING: &str = "DB";

/// Longest text taken over from what an agent says of its machine. The columns are shown in lists.
const MAX_TEXT: usize = 255;

statements! {
    /// The agent's link stands. A revoked machine stays revoked.
    AGENT_ONLINE = "UPDATE machines SET status = 'online', is_connected = 1, last_active = ?2, \
        hostname = ?3, os = ?4, ip_address = ?5, linux_user = ?6, agent_version = ?7, metadata = ?8 \
        WHERE id = ?1 AND status <> 'revoked'";

    /// The agent's link is gone.
    AGENT_OFFLINE = "UPDATE machines SET status = 'offline', is_connected = 0 WHERE id = ?1 AND status = 'online'";

    /// How the machine does.
    METRICS = "UPDATE machines SET cpu_percent = ?3, memory_percent = ?4, disk_percent = ?5, \
        network_inbound = ?6, network_outbound = ?7, uptime_seconds = ?8, last_active = ?2 WHERE id = ?1";

    /// A session is over. One that was closed by the REST side already keeps its reason.
    SESSION_CLOSED = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?3, last_activity = ?3, \
        close_reason = ?4 WHERE machine_id = ?1 AND session_id = ?2 AND status = 'active'";
}

/// Writes notices in one batch.
pub async fn deliver(db: &D1Database, machine: &ObjectId, notices: &[Notice]) -> Result<()> {
    let statements = notices
        .iter()
        .map(|notice| statement(db, machine, notice))
        .collect::<Result<Vec<_>>>()?;
    db.batch(statements).await?;
    Ok(())
}

fn statement(db: &D1Database, machine: &ObjectId, notice: &Notice) -> Result<D1PreparedStatement> {
    let machine = JsValue::from_str(machine.as_str());
    match notice {
        Notice::AgentOnline { facts, at } => {
            let Facts {
                version,
                hostname,
                os,
                ip_address,
                linux_user,
                metadata,
            } = facts;
            let metadata = serde_json::to_string(metadata)?;
            let texts = [hostname, os, ip_address, &linux_user.username, version].map(|text| clipped(text));
            let mut values = vec![machine, time(*at)];
            values.extend(texts);
            values.push(JsValue::from_str(&metadata));
            db.prepare(AGENT_ONLINE).bind(&values)
        }
        Notice::AgentOffline { at: _ } => db.prepare(AGENT_OFFLINE).bind(&[machine]),
        Notice::Metrics { metrics, at } => db.prepare(METRICS).bind(&[
            machine,
            time(*at),
            metrics.cpu_percent.into(),
            metrics.memory_percent.into(),
            metrics.disk_percent.into(),
            metrics.network_inbound.into(),
            metrics.network_outbound.into(),
            (metrics.uptime_seconds as f64).into(),
        ]),
        Notice::SessionClosed { session_id, reason, at } => {
            let session = JsValue::from_str(session_id.as_str());
            db.prepare(SESSION_CLOSED)
                .bind(&[machine, session, time(*at), JsValue::from_str(reason)])
        }
    }
}

fn time(ms: u64) -> JsValue {
    js_sys::Date::new(&JsValue::from_f64(ms as f64)).to_iso_string().into()
}

fn clipped(text: &str) -> JsValue {
    JsValue::from_str(&text.chars().take(MAX_TEXT).collect::<String>())
}

#[cfg(test)]
mod tests;
