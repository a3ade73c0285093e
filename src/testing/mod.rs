//! A database of a test: SQLite with the real migrations, and what the tests of several features put into it. D1 is SQLite, so
//! what holds here holds there.
mod builders;
mod statements;

use std::path::Path;

use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::audit_key::AuditKey;
use crate::platform::config::Config;
use crate::platform::db::{Arg, Query};
use crate::platform::row;

pub use builders::id;

/// D1's most arguments of one SQL function. SQLite's own bound, and that of a local D1, is higher.
const MAX_FUNCTION_ARGUMENTS: i32 = 32;

/// A database with all migrations, for tests of the functions in `store.rs` files.
pub struct TestDb(Connection);

impl TestDb {
    /// Nobody and nothing.
    pub fn new() -> Self {
        // Their names begin with digits.
        Self::before("a")
    }

    /// What there was before the migrations from this one on.
    pub fn before(migration: &str) -> Self {
        audit_key().install();
        let db = Self(empty());
        db.migrate(|name| name < migration);
        db
    }

    /// Runs those of the migrations that it lacks.
    pub fn migrate(&self, wanted: impl Fn(&str) -> bool) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let done = "SELECT COUNT(*) FROM d1_migrations WHERE name = ?1";
            let done: i64 = self.0.query_row(done, [name], |row| row.get(0)).unwrap();
            if done > 0 || !wanted(name) {
                continue;
            }
            self.try_execute(&std::fs::read_to_string(&file).unwrap())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let note = "INSERT INTO d1_migrations (name) VALUES (?1)";
            self.0.execute(note, [name]).unwrap();
        }
    }

    /// Runs a query as D1 would, with rows by way of JSON.
    pub fn try_run<T: DeserializeOwned>(&self, query: Query<T>) -> Result<Vec<T>, String> {
        let mut statement = self.0.prepare(query.sql).unwrap();
        assert_eq!(statement.parameter_count(), query.args.len(), "{}", query.sql);
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let args = query.args.into_iter().map(|arg| match arg {
            Arg::Null => Value::Null,
            Arg::Integer(number) => Value::Integer(number),
            Arg::Text(text) => Value::Text(text),
        });
        let rows = statement.query_map(params_from_iter(args), |row| {
            let cell = |(index, name): (usize, &String)| (name.clone(), json(row.get_ref_unwrap(index)));
            Ok(columns.iter().enumerate().map(cell).collect::<serde_json::Map<_, _>>())
        });
        let rows: Result<Vec<_>, _> = rows.unwrap().collect();
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(row::all(&serde_json::json!(rows).to_string()).unwrap())
    }

    /// The same, for queries that succeed.
    pub fn run<T: DeserializeOwned>(&self, query: Query<T>) -> Vec<T> {
        self.try_run(query).unwrap()
    }

    /// Runs SQL of the test's own.
    pub fn execute(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    /// The same, for SQL that may be refused.
    pub fn try_execute(&self, sql: &str) -> Result<(), String> {
        self.0.execute_batch(sql).map_err(|error| error.to_string())
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> i64 {
        self.0
            .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0))
            .unwrap()
    }

    /// How a statement finds its rows, a step per line.
    pub fn plan(&self, sql: &str) -> String {
        plan(&self.0, sql).join("\n")
    }
}

/// The key that authenticates what tests write to the log.
pub fn audit_key() -> AuditKey {
    Config::of_a_test().audit
}

/// What a statement publishes, which is exactly what `T` serializes to.
pub fn published<T: DeserializeOwned + Serialize>(body: &str) -> T {
    let typed: T = serde_json::from_str(body).unwrap();
    let untyped: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), untyped);
    typed
}

fn json(value: ValueRef) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8(text.to_owned()).unwrap().into(),
        ValueRef::Blob(_) => panic!("no column is a blob"),
    }
}

/// A database before all migrations, with foreign keys enforced as D1 does.
fn empty() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    db.set_limit(Limit::SQLITE_LIMIT_FUNCTION_ARG, MAX_FUNCTION_ARGUMENTS)
        .unwrap();
    db.execute_batch("CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE)")
        .unwrap();
    db
}

/// How a statement finds its rows, step by step.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nulls = params_from_iter(std::iter::repeat_n(rusqlite::types::Null, plan.parameter_count()));
    plan.query_map(nulls, |row| row.get("detail"))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}
