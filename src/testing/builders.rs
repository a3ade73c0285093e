//! What tests fill a database with: people, machines, groups and what joins them.
use super::TestDb;
use crate::auth::account_store;
use crate::auth::caller::Caller;

impl TestDb {
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

    /// A request of an account's for a machine, decided by the machine's owner.
    pub fn request(&self, machine: &str, user: &str, status: &str, expires_at: Option<&str>) {
        let expires_at = expires_at.map_or("NULL".to_owned(), |at| format!("'{at}'"));
        self.execute(&format!(
            "INSERT INTO access_requests (id, organization_id, machine_id, requester_id, duration_hours, status, approved_by, approved_at,
             expires_at, requested_at, updated_at)
             SELECT '{}', m.organization_id, m.id, u.id, 1, '{status}', m.owner_id, '2026-01-01T00:00:00.000Z', {expires_at},
             '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM users u, machines m
             WHERE u.username = '{user}' AND m.name = '{machine}'",
            id(&format!("request {}", self.count("access_requests"))),
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

    /// An invitation of an account to a session.
    pub fn share(&self, session_id: &str, user: &str, can_type: bool, expires_at: Option<&str>) {
        let expires_at = expires_at.map_or("NULL".to_owned(), |at| format!("'{at}'"));
        self.execute(&format!(
            "INSERT INTO session_shares (id, session, organization_id, machine_id, user_id, can_type, created_at, expires_at)
             SELECT '{}', s.id, s.organization_id, s.machine_id, u.id, {can_type}, '2026-01-01T00:00:00.000Z', {expires_at}
             FROM terminal_sessions s, users u WHERE s.session_id = '{session_id}' AND u.username = '{user}'",
            id(&format!("{session_id} with {user}")),
        ));
    }

    /// A command of an account on a machine, that no relay has told of.
    pub fn command(&self, command_id: &str, user: &str, machine: &str) {
        self.execute(&format!(
            "INSERT INTO commands (id, organization_id, machine_id, user_id, username, source, command, timeout_seconds, sudo, created_at)
             SELECT '{command_id}', m.organization_id, m.id, u.id, u.username, 'api', 'uptime', 300, 0, '2026-01-01T00:00:00.000Z'
             FROM users u, machines m WHERE u.username = '{user}' AND m.name = '{machine}'"
        ));
    }

    /// A webhook of an organization, that is told of some events.
    pub fn webhook(&self, name: &str, organization: &str, events: &[&str]) {
        self.execute(&format!(
            "INSERT INTO webhooks (id, organization_id, name, url, secret_sealed, events, created_at, updated_at)
             VALUES ('{}', '{}', '{name}', 'https://{name}.example.org', '', '{}', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')",
            id(name),
            id(organization),
            serde_json::to_string(events).unwrap()
        ));
    }

    /// An account as it calls.
    pub fn caller(&self, name: &str) -> Caller {
        let id = id(name).parse().unwrap();
        Caller::proven(self.run(account_store::find_caller(&id, "")).remove(0))
    }
}

/// The id that [`TestDb`] gives what has a name.
pub fn id(name: &str) -> String {
    crate::platform::secrets::digest(name).chars().take(24).collect()
}
