//! The statements of every feature against the real migrations. D1 is SQLite, so what holds here holds there.
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::de::DeserializeOwned;

use crate::auth::account_store;
use crate::auth::caller::Caller;
use crate::platform::db::{Arg, Declared, Query};

/// A database with all migrations, for tests of the functions in `store.rs` files.
pub struct World(Connection);

impl World {
    /// Nobody and nothing.
    pub fn new() -> Self {
        Self(migrated())
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
        Ok(rows
            .into_iter()
            .map(|row| serde_json::from_str(&serde_json::Value::Object(row).to_string()).unwrap())
            .collect())
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

    /// An account, and its organization if it is the first in it. Ids are made from names.
    pub fn user(&self, name: &str, organization: &str, role: &str) {
        self.execute(&format!(
            "INSERT OR IGNORE INTO organizations (id, slug, name, created_at)
             VALUES ('{}', '{organization}', '{organization}', '2026-01-01T00:00:00.000Z');
             INSERT OR IGNORE INTO roles (organization_id, name, created_at, is_system)
             SELECT id, 'super-admin', created_at, 1 FROM organizations;
             INSERT INTO users (id, organization_id, username, email, password_hash, role, api_key_hash, api_key_sealed, created_at, updated_at)
             SELECT '{}', id, '{name}', '{name}@example.org', 'hash', '{role}', 'key of {name}', 'sealed', '2026-01-01T00:00:00.000Z',
             '2026-01-01T00:00:00.000Z' FROM organizations WHERE slug = '{organization}'",
            id(organization),
            id(name),
        ));
    }

    /// A machine of an account's.
    pub fn machine(&self, name: &str, owner: &str) {
        self.execute(&format!(
            "INSERT INTO machines (id, organization_id, owner_id, agent_id, name, created_at)
             SELECT '{}', organization_id, id, '{}', '{name}', '2026-01-01T00:00:00.000Z' FROM users WHERE username = '{owner}'",
            id(name),
            &id(name)[..12]
        ));
    }

    /// A group of accounts and machines.
    pub fn group(&self, name: &str, organization: &str, members: &[&str], machines: &[&str]) {
        let group = id(name);
        self.execute(&format!(
            "INSERT INTO groups (id, organization_id, name, created_at, updated_at)
             SELECT '{group}', id, '{name}', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'
             FROM organizations WHERE slug = '{organization}'"
        ));
        for member in members {
            self.execute(&format!(
                "INSERT INTO group_members VALUES ('{group}', '{}', '2026-01-01T00:00:00.000Z')",
                id(member)
            ));
        }
        for machine in machines {
            self.execute(&format!(
                "INSERT INTO group_machines VALUES ('{group}', '{}', '2026-01-01T00:00:00.000Z')",
                id(machine)
            ));
        }
    }

    /// Lends a machine to an account.
    pub fn grant(&self, machine: &str, user: &str, machine_role: &str, expires_at: Option<&str>) {
        let expires_at = expires_at.map_or("NULL".to_owned(), |at| format!("'{at}'"));
        self.execute(&format!(
            "INSERT INTO machine_grants VALUES ('{}', '{}', '{machine_role}', 'somebody', '2026-01-01T00:00:00.000Z', {expires_at})",
            id(machine),
            id(user)
        ));
    }

    /// An active session of an account on a machine.
    pub fn session(&self, session_id: &str, user: &str, machine: &str) {
        self.execute(&format!(
            "INSERT INTO terminal_sessions (id, session_id, organization_id, machine_id, user_id, username, source, started_at,
             last_activity, browser, os, user_agent, ip_address, cols, rows)
             SELECT '{}', '{session_id}', m.organization_id, m.id, u.id, u.username, 'ui', '2026-01-01T00:00:00.000Z',
             '2026-01-01T00:00:00.000Z', 'Firefox', 'Linux', '', '', 80, 24 FROM users u, machines m
             WHERE u.username = '{user}' AND m.name = '{machine}'",
            id(session_id)
        ));
    }

    /// An account as it calls.
    pub fn caller(&self, name: &str) -> Caller {
        let id = id(name).parse().unwrap();
        Caller::proven(self.run(account_store::find_caller(&id, "")).remove(0))
    }
}

/// The id that [`World`] gives what has a name.
pub fn id(name: &str) -> String {
    crate::platform::secrets::digest(name).chars().take(24).collect()
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

/// A database after all migrations, with foreign keys enforced as D1 does.
fn migrated() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        db.execute_batch(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
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

/// The statements of all files: `statements!` hands them in, so that none can be left out of a list.
fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    inventory::iter::<Declared>().flat_map(|declared| declared.0)
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
        let steps = plan(&db, sql);
        for step in &steps {
            // All active sessions, and all entries to be sealed, are read from indexes that hold nothing else; the others walk lists made on the way.
            let whole = step.starts_with("SCAN")
                && ![
                    "terminal_sessions_active",
                    "audit_log_unsealed",
                    "json_each",
                    "CONSTANT",
                    "listed",
                    "heir",
                ]
                .iter()
                .any(|known| step.contains(known));
            assert!(!whole, "{name}: {steps:#?}");
        }
    }
}
