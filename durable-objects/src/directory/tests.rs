//! The relay's statements against the real migrations. D1 is SQLite, so what holds here holds there.
use std::path::Path;

use rusqlite::{Connection, params_from_iter};

use super::STATEMENTS;

fn migrated() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        db.execute_batch(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    db
}

#[test]
fn every_statement_prepares_against_the_migrated_schema_and_finds_its_rows_by_an_index() {
    let db = migrated();
    for (name, sql) in STATEMENTS {
        db.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nulls = params_from_iter(std::iter::repeat_n(rusqlite::types::Null, plan.parameter_count()));
        let steps: Vec<String> = plan
            .query_map(nulls, |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(!steps.is_empty(), "{name} has no plan");
        let scans = |step: &String| step.starts_with("SCAN") && !step.starts_with("SCAN json_each");
        assert!(!steps.iter().any(scans), "{name}: {steps:#?}");
    }
}

#[test]
fn no_statement_escapes_the_list() {
    let source = include_str!("../directory.rs");
    let written: usize = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"]
        .iter()
        .map(|verb| source.matches(&format!("\"{verb} ")).count())
        .sum();
    assert_eq!(written, STATEMENTS.len());
    let prepared = source.matches(".prepare(").count();
    let named = STATEMENTS
        .iter()
        .filter(|(name, _)| source.contains(&format!(".prepare({name})")))
        .count();
    assert_eq!(prepared, named, "what is prepared is named, and in the list");
}
