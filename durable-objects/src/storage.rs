//! What outlives the object's memory: records by name, notices on their way to the directory, and results of commands.
use protocol::api::commands::CommandResult;
use protocol::ids::CommandId;
use protocol::json;
use protocol::sql::statements;
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::log;
use crate::relay::{Key, Notice, Record};

const CREATE: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, notice TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS results (command_id TEXT PRIMARY KEY, at INTEGER NOT NULL, result TEXT NOT NULL)",
];

statements! {
    RECORDS = "SELECT value FROM records";
    SAVE = "INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    ERASE = "DELETE FROM records WHERE key = ?";
    POST = "INSERT INTO outbox (notice) VALUES (?)";
    POSTED = "SELECT id, notice FROM outbox ORDER BY id LIMIT ?";
    DELIVERED = "DELETE FROM outbox WHERE id <= ?";
    KEEP = "INSERT INTO results (command_id, at, result) VALUES (?, ?, ?) ON CONFLICT (command_id) DO NOTHING";
    DROP_OLD = "DELETE FROM results WHERE at < ?";
    DROP_MORE = "DELETE FROM results WHERE rowid IN (SELECT rowid FROM results ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)";
    RESULT = "SELECT result AS value FROM results WHERE command_id = ?";
}

/// Results kept of one machine. Each is 192 KiB at most, so that all are 40 MB, and so few that they need no index by time.
const RESULTS: i32 = 200;

/// How long a result is kept, in milliseconds; what came of the command stays in the directory.
const RESULTS_KEPT: u64 = 30 * 24 * 3600 * 1000;

/// Notices delivered in one D1 batch.
const BATCH: i32 = 50;

#[derive(serde::Deserialize)]
struct Value {
    value: String,
}

#[derive(serde::Deserialize)]
struct Posted {
    id: i32,
    notice: String,
}

/// The object's SQLite.
pub struct Storage(SqlStorage);

impl Storage {
    /// Opens it, empty or not.
    pub fn open(sql: SqlStorage) -> Result<Self> {
        for statement in CREATE {
            sql.exec(statement, None)?;
        }
        Ok(Self(sql))
    }

    /// Every record. One that this version cannot read is left out and logged: it was written by a version that is gone.
    pub fn records(&self) -> Result<Vec<Record>> {
        let rows: Vec<Value> = self.0.exec(RECORDS, None)?.to_array()?;
        let decode = |row: Value| match json::from_str(&row.value) {
            Ok(record) => Some(record),
            Err(error) => {
                log::error(&format!("a record cannot be read: {error}"));
                None
            }
        };
        Ok(rows.into_iter().filter_map(decode).collect())
    }

    /// Writes a record. Idempotent.
    pub fn save(&self, record: &Record) -> Result<()> {
        let value = serde_json::to_string(record)?;
        self.0.exec(SAVE, vec![text(record.key().to_string()), text(value)])?;
        Ok(())
    }

    /// Removes a record. Idempotent.
    pub fn erase(&self, key: Key) -> Result<()> {
        self.0.exec(ERASE, vec![text(key.to_string())])?;
        Ok(())
    }

    /// Puts a notice where it waits until the directory has it.
    pub fn post(&self, notice: &Notice) -> Result<()> {
        self.0.exec(POST, vec![text(serde_json::to_string(notice)?)])?;
        Ok(())
    }

    /// The oldest waiting notices and the id to give to [`Self::delivered`].
    pub fn posted(&self) -> Result<Option<(i32, Vec<Notice>)>> {
        let rows: Vec<Posted> = self
            .0
            .exec(POSTED, vec![SqlStorageValue::Integer(BATCH.into())])?
            .to_array()?;
        let Some(last) = rows.last().map(|row| row.id) else {
            return Ok(None);
        };
        Ok(Some((
            last,
            rows.iter().filter_map(|row| json::from_str(&row.notice).ok()).collect(),
        )))
    }

    /// Keeps the result of a command, and drops those that are too old or too many. Idempotent: the first stays.
    pub fn keep(&self, now: u64, command_id: &CommandId, result: &CommandResult) -> Result<()> {
        let at = |ms: u64| SqlStorageValue::Integer(i64::try_from(ms).unwrap_or(i64::MAX));
        let value = text(serde_json::to_string(result)?);
        self.0.exec(KEEP, vec![text(command_id.to_string()), at(now), value])?;
        self.0.exec(DROP_OLD, vec![at(now.saturating_sub(RESULTS_KEPT))])?;
        self.0.exec(DROP_MORE, vec![SqlStorageValue::Integer(RESULTS.into())])?;
        Ok(())
    }

    /// The result of a command, while it is kept.
    pub fn result(&self, command_id: &CommandId) -> Result<Option<CommandResult>> {
        let rows: Vec<Value> = self.0.exec(RESULT, vec![text(command_id.to_string())])?.to_array()?;
        let row = rows.first().map(|row| json::from_str(&row.value));
        row.transpose().map_err(Into::into)
    }

    /// The directory has every notice up to this one.
    pub fn delivered(&self, last: i32) -> Result<()> {
        self.0.exec(DELIVERED, vec![SqlStorageValue::Integer(last.into())])?;
        Ok(())
    }
}

fn text(text: String) -> SqlStorageValue {
    SqlStorageValue::String(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_prepares_against_the_tables_as_they_are_created() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        db.execute_batch(&CREATE.join(";")).unwrap();
        for (name, sql) in STATEMENTS {
            db.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
        }
    }

    #[test]
    fn the_newest_results_are_kept_and_none_that_is_too_old() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        db.execute_batch(&CREATE.join(";")).unwrap();
        for n in 0..5 {
            db.execute(KEEP, (format!("cmd_{n}"), n / 2, n)).unwrap();
            db.execute(KEEP, (format!("cmd_{n}"), n, "another")).unwrap();
        }
        let left = |db: &rusqlite::Connection| -> Vec<String> {
            let mut rows = db.prepare("SELECT result FROM results ORDER BY rowid").unwrap();
            rows.query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect()
        };
        assert_eq!(left(&db), ["0", "1", "2", "3", "4"]);
        db.execute(DROP_OLD, [1]).unwrap();
        assert_eq!(left(&db), ["2", "3", "4"]);
        db.execute(DROP_MORE, [2]).unwrap();
        assert_eq!(left(&db), ["3", "4"]);
    }
}
