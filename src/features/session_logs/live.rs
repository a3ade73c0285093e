//! What sessions do at this moment: asked of the relays of their machines, within a second, and never stored.
use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use futures_util::future::join_all;
use protocol::api::sessions::{LiveFacts, SessionStatus, SessionViewer};
use protocol::ids::{ObjectId, SessionId};
use protocol::relay_contract::LiveSession;

use crate::features::command_logs::mask::Masks;
use crate::features::command_logs::store::masks_of;
use crate::features::sessions::row::SessionRow;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Most machines asked for one list. Each is a request, and wakes its object.
const AT_ONCE: usize = 20;

/// What those of some sessions do that run, the first machines first. What is masked in commands that are stored is masked here.
pub async fn facts(app: &App, rows: &[SessionRow]) -> Result<Vec<LiveFacts>, ApiError> {
    let active = rows.iter().filter(|row| row.status == SessionStatus::Active);
    let mut machines: Vec<&ObjectId> = active.clone().map(|row| &row.machine_id).collect();
    machines.sort_unstable();
    machines.dedup();
    machines.truncate(AT_ONCE);
    if machines.is_empty() {
        return Ok(Vec::new());
    }
    let relays = machines
        .iter()
        .map(|machine| app.relay(machine))
        .collect::<Result<Vec<_>, _>>()?;
    let asked = join_all(relays.iter().map(|relay| relay.sessions()));
    let masks: Vec<_> = machines.iter().map(|machine| masks_of(machine)).collect();
    let (told, masks) = (asked.await, app.db()?.run(masks).await?);
    let mut known: HashMap<(&ObjectId, SessionId), LiveSession> = HashMap::new();
    let mut masked: BTreeMap<&ObjectId, Masks> = BTreeMap::new();
    for ((machine, sessions), masks) in machines.iter().zip(told).zip(masks) {
        masked.insert(machine, Masks::of(&masks));
        for session in sessions.into_iter().flatten() {
            known.insert((machine, session.session.clone()), session);
        }
    }
    let of_row = |row: &SessionRow| {
        let live = known.get(&(&row.machine_id, row.session_id.clone()))?;
        Some(body(row, live.clone(), masked.get(&row.machine_id)?))
    };
    Ok(active.filter_map(of_row).collect())
}

fn body(row: &SessionRow, live: LiveSession, masks: &Masks) -> LiveFacts {
    let viewers = live.viewers.into_iter().map(|viewer| SessionViewer {
        username: viewer.username,
        can_type: viewer.can_type,
    });
    let last = live.last_output_ms.and_then(|ms| i64::try_from(ms).ok());
    let (title, command, cwd) = match live.described {
        Some(described) => (described.title, described.command, described.cwd),
        None => Default::default(),
    };
    LiveFacts {
        session_id: row.session_id.clone(),
        agent_id: row.agent_id.clone(),
        title,
        command: command.map(|command| masks.apply(&command)),
        cwd,
        cols: live.size.cols,
        rows: live.size.rows,
        viewers: viewers.collect(),
        last_activity: last.and_then(DateTime::from_timestamp_millis),
    }
}
