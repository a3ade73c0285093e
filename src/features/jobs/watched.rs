//! What those are told who watch a job: read for the relays, which say when there is more.
use durable_objects::watch::JobText;
use futures_util::future::LocalBoxFuture;
use protocol::networks::admits;
use protocol::relay_contract::WatchContext;
use worker::Env;

use super::row::WatchedRow;
use super::store::{self, WATCHED_PARTS};
use crate::platform::db::{Db, DbError};

/// What a job has written from an offset on, if the watcher still may see it. Handed to the relays' crate when the Worker starts.
pub fn read(env: Env, context: WatchContext, offset: u64) -> LocalBoxFuture<'static, Result<Option<JobText>, String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        from(&db, &context, offset).await.map_err(|error| error.to_string())
    })
}

async fn from(db: &Db, context: &WatchContext, offset: u64) -> Result<Option<JobText>, DbError> {
    let mut text = String::new();
    loop {
        let at = offset + text.len() as u64;
        let rows = db.run(store::watched(context, at)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        if !admits(&first.networks, &context.proof.address) {
            return Ok(None);
        }
        append(&mut text, at, &rows);
        let whole = rows.len() < WATCHED_PARTS;
        // Somebody is told whole lines: a long one has many parts.
        if whole || text.contains('\n') {
            let (status, note) = (first.status, first.note.clone());
            return Ok(Some(JobText {
                status,
                note,
                text,
                whole,
            }));
        }
    }
}

/// Adds what parts have from an offset on.
fn append(text: &mut String, from: u64, rows: &[WatchedRow]) {
    for row in rows {
        let (Some(offset), Some(part)) = (row.offset, &row.text) else {
            continue;
        };
        let has = usize::try_from(from.saturating_sub(offset)).unwrap_or(usize::MAX);
        text.push_str(part.get(has..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::jobs::JobStatus;

    #[test]
    fn parts_are_read_from_where_somebody_is() {
        let part = |offset, text: Option<&str>| WatchedRow {
            status: JobStatus::Running,
            note: None,
            networks: Vec::new(),
            offset,
            text: text.map(str::to_owned),
        };
        let rows = [part(Some(0), Some("abc")), part(Some(3), Some("de\n"))];
        for (from, expected) in [(0, "abcde\n"), (2, "cde\n"), (3, "de\n"), (5, "\n"), (6, ""), (9, "")] {
            let mut text = String::new();
            append(&mut text, from, &rows);
            assert_eq!(text, expected, "{from}");
        }
        let mut text = String::new();
        append(&mut text, 0, &[part(None, None)]);
        assert_eq!(text, "");
    }
}
