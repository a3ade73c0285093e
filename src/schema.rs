//! The statements of every feature against the real migrations. D1 is SQLite, so what holds here holds there.
use std::path::Path;

use rusqlite::Connection;

/// A database after all migrations, with foreign keys enforced as D1 does.
pub fn migrated() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        db.execute_batch(&std::fs::read_to_string(&file).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    db
}

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        crate::auth::store::STATEMENTS,
        crate::machines::store::STATEMENTS,
        crate::sessions::store::STATEMENTS,
        crate::agents::store::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn every_statement_prepares_against_the_migrated_schema() {
    let db = migrated();
    for (name, sql) in statements() {
        db.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
    }
}

#[test]
fn no_statement_reads_a_whole_table() {
    let db = migrated();
    // With them, the plan of an insert lists checks that only run for deferred constraints, which there are none of.
    db.pragma_update(None, "foreign_keys", false).unwrap();
    for (name, sql) in statements() {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nulls = rusqlite::params_from_iter(std::iter::repeat_n(rusqlite::types::Null, plan.parameter_count()));
        let steps: Vec<String> = plan.query_map(nulls, |row| row.get("detail")).unwrap().map(Result::unwrap).collect();
        for step in &steps {
            // The list of all active sessions reads an index that holds nothing else; the others walk lists made on the way.
            let whole = step.starts_with("SCAN") && !["terminal_sessions_active", "json_each", "CONSTANT", "listed"].iter().any(|known| step.contains(known));
            assert!(!whole, "{name}: {steps:#?}");
        }
    }
}
