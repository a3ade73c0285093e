//! What outlives the object's memory: records by name, and notices on their way to the directory.
use protocol::sql::statements;
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::relay::{Key, Notice, Record};

const CREATE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, notice TEXT NOT NULL)",
];

statements! {
    RECORDS = "SELECT value FROM records";
    SAVE = "INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    ERASE = "DELETE FROM records WHERE key = ?";
    POST = "INSERT INTO outbox (notice) VALUES (?)";
    POSTED = "SELECT id, notice FROM outbox ORDER BY id LIMIT ?";
    DELIVERED = "DELETE FROM outbox WHERE id <= ?";
}

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
        let decode = |row: Value| match serde_json::from_str(&row.value) {
            Ok(record) => Some(record),
            Err(error) => {
                worker::console_error!("a record cannot be read: {error}");
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
            rows.iter()
                .filter_map(|row| serde_json::from_str(&row.notice).ok())
                .collect(),
        )))
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
}
