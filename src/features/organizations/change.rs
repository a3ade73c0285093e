//! Changing an organization: what becomes of it, and what the audit log says of that.
use protocol::api::organizations::{Organization, OtpPolicy, UpdateOrganization};
use protocol::networks::{Network, admits};
use serde_json::{Map, Value, json};

use super::access::OrganizationControl;
use super::row::OrganizationRow;
use super::store::Changeable;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.id,
            keycloak_realm: row.slug.clone(),
            name: row.slug,
            display_name: row.name,
            description: row.description,
            enabled: row.disabled_at.is_none(),
            user_count: row.user_count,
            machine_count: row.machine_count,
            otp: row.otp,
            otp_expiry_minutes: row.otp_minutes,
            admins_create_machines: row.admins_create_machines,
            inactive_days: row.inactive_days,
            record_sessions: row.record_sessions,
            recording_days: row.recording_days,
            command_log_days: row.command_log_days,
            command_masks: row.command_masks,
            terminal_idle_minutes: row.terminal_idle_minutes,
            max_sessions: row.max_sessions,
            max_user_sessions: row.max_user_sessions,
            max_processes: row.max_processes,
            max_memory_mb: row.max_memory_mb,
            allowed_networks: row.allowed_networks,
            networks_for_agents: row.networks_for_agents,
            command_policy: row.command_policy,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<&OrganizationRow> for Changeable {
    fn from(row: &OrganizationRow) -> Self {
        Self {
            name: row.name.clone(),
            description: row.description.clone(),
            otp: row.otp,
            otp_minutes: row.otp_minutes,
            admins_create_machines: row.admins_create_machines,
            inactive_days: row.inactive_days,
            record_sessions: row.record_sessions,
            recording_days: row.recording_days,
            command_log_days: row.command_log_days,
            command_masks: row.command_masks.clone(),
            terminal_idle_minutes: row.terminal_idle_minutes,
            max_sessions: row.max_sessions,
            max_user_sessions: row.max_user_sessions,
            max_processes: row.max_processes,
            max_memory_mb: row.max_memory_mb,
            allowed_networks: row.allowed_networks.clone(),
            networks_for_agents: row.networks_for_agents,
            command_policy: row.command_policy.clone(),
        }
    }
}

impl Changeable {
    /// As it is after a request. `sends_mail` says whether this server can send codes.
    pub fn with(mut self, request: &UpdateOrganization, sends_mail: bool) -> Result<Self, ApiError> {
        if !sends_mail && request.otp.is_some_and(|otp| otp != OtpPolicy::Off) {
            return Err(ApiError::invalid_field(
                "otp",
                "must be off, for this server cannot send mail: its mail settings are missing",
            ));
        }
        if let Some(name) = &request.display_name {
            self.name = name.trim().to_owned();
        }
        if let Some(description) = &request.description {
            self.description.clone_from(description);
        }
        self.otp = request.otp.unwrap_or(self.otp);
        self.otp_minutes = request.otp_expiry_minutes.unwrap_or(self.otp_minutes);
        self.admins_create_machines = request.admins_create_machines.unwrap_or(self.admins_create_machines);
        self.inactive_days = request.inactive_days.unwrap_or(self.inactive_days);
        self.record_sessions = request.record_sessions.unwrap_or(self.record_sessions);
        self.recording_days = request.recording_days.unwrap_or(self.recording_days);
        self.command_log_days = request.command_log_days.unwrap_or(self.command_log_days);
        self.terminal_idle_minutes = request.terminal_idle_minutes.unwrap_or(self.terminal_idle_minutes);
        self.max_sessions = request.max_sessions.unwrap_or(self.max_sessions);
        self.max_user_sessions = request.max_user_sessions.unwrap_or(self.max_user_sessions);
        self.max_processes = request.max_processes.unwrap_or(self.max_processes);
        self.max_memory_mb = request.max_memory_mb.unwrap_or(self.max_memory_mb);
        if let Some(masks) = &request.command_masks {
            self.command_masks.clone_from(masks);
        }
        if let Some(networks) = &request.allowed_networks {
            let networks = networks.iter().filter_map(|text| text.parse::<Network>().ok());
            self.allowed_networks = networks.map(|network| network.to_string()).collect();
        }
        self.networks_for_agents = request.networks_for_agents.unwrap_or(self.networks_for_agents);
        if let Some(policy) = &request.command_policy {
            self.command_policy.clone_from(policy);
        }
        Ok(self)
    }

    /// What the organization is.
    fn identity(&self) -> Map<String, Value> {
        [
            ("display_name".to_owned(), json!(self.name)),
            ("description".to_owned(), json!(self.description)),
        ]
        .into_iter()
        .collect()
    }

    /// How it is run.
    fn settings(&self) -> Map<String, Value> {
        [
            ("otp".to_owned(), json!(self.otp)),
            ("otp_expiry_minutes".to_owned(), json!(self.otp_minutes)),
            ("admins_create_machines".to_owned(), json!(self.admins_create_machines)),
            ("inactive_days".to_owned(), json!(self.inactive_days)),
            ("record_sessions".to_owned(), json!(self.record_sessions)),
            ("recording_days".to_owned(), json!(self.recording_days)),
            ("command_log_days".to_owned(), json!(self.command_log_days)),
            ("command_masks".to_owned(), json!(self.command_masks)),
            ("terminal_idle_minutes".to_owned(), json!(self.terminal_idle_minutes)),
            ("max_sessions".to_owned(), json!(self.max_sessions)),
            ("max_user_sessions".to_owned(), json!(self.max_user_sessions)),
            ("max_processes".to_owned(), json!(self.max_processes)),
            ("max_memory_mb".to_owned(), json!(self.max_memory_mb)),
            ("allowed_networks".to_owned(), json!(self.allowed_networks)),
            ("networks_for_agents".to_owned(), json!(self.networks_for_agents)),
            ("command_policy".to_owned(), json!(self.command_policy)),
        ]
        .into_iter()
        .collect()
    }
}

/// Nobody shuts themselves out: who changes from where people may come, and has to come from there too, comes from there now.
pub fn lets_in(caller: &Caller, new: &Changeable) -> Result<(), ApiError> {
    let address = &caller.context().client.address;
    match caller.is_super_admin() || admits(&new.allowed_networks, address) {
        true => Ok(()),
        false => Err(ApiError::invalid_field(
            "allowed_networks",
            format!("must contain your own network address ({address}): it would shut you out"),
        )),
    }
}

/// What the audit log says of a change, in the log of the organization. `enabled` is old and new, if that is changed, too.
pub fn events(
    control: &OrganizationControl,
    old: &Changeable,
    new: &Changeable,
    enabled: Option<(bool, bool)>,
) -> Vec<Event> {
    let (mut old_identity, mut new_identity) = (old.identity(), new.identity());
    if let Some((old, new)) = enabled {
        old_identity.insert("enabled".to_owned(), json!(old));
        new_identity.insert("enabled".to_owned(), json!(new));
    }
    [
        (Action::OrganizationUpdated, old_identity, new_identity),
        (Action::SettingsChanged, old.settings(), new.settings()),
    ]
    .into_iter()
    .filter_map(|(action, old, new)| {
        let (old, new) = differing(old, new);
        let event = event(control, action).detail("old", old).detail("new", new.clone());
        (!new.is_empty()).then_some(event)
    })
    .collect()
}

/// Something done to an organization, in its own log.
pub fn event(control: &OrganizationControl, action: Action) -> Event {
    control
        .caller()
        .event(action, Resource::Organization)
        .within(control.id())
        .on(control.id())
        .detail("organization", control.organization().slug.as_str())
}

/// Only what is not the same in both.
fn differing(mut old: Map<String, Value>, mut new: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let same: Vec<String> = old
        .iter()
        .filter(|(key, value)| new.get(*key) == Some(*value))
        .map(|(key, _)| key.clone())
        .collect();
    for key in &same {
        old.remove(key);
        new.remove(key);
    }
    (old, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit;
    use crate::features::organizations::store;
    use crate::testing::TestDb;

    fn changeable() -> Changeable {
        Changeable {
            name: "Acme".into(),
            description: String::new(),
            otp: OtpPolicy::Off,
            otp_minutes: 10,
            admins_create_machines: false,
            inactive_days: 30,
            record_sessions: true,
            recording_days: 90,
            command_log_days: 90,
            command_masks: Vec::new(),
            terminal_idle_minutes: 0,
            max_sessions: 0,
            max_user_sessions: 0,
            max_processes: 0,
            max_memory_mb: 0,
            allowed_networks: Vec::new(),
            networks_for_agents: false,
            command_policy: Default::default(),
        }
    }

    fn changed(text: &str, sends_mail: bool) -> Result<Changeable, ApiError> {
        changeable().with(&serde_json::from_str(text).unwrap(), sends_mail)
    }

    #[test]
    fn what_a_request_does_not_name_stays() {
        assert_eq!(changed("{}", false).unwrap(), changeable());
        let new = changed(r#"{"display_name":" Acme 2 ","inactive_days":0}"#, false).unwrap();
        let expected = Changeable {
            name: "Acme 2".into(),
            inactive_days: 0,
            ..changeable()
        };
        assert_eq!(new, expected);
    }

    #[test]
    fn networks_are_kept_as_they_are_written_and_let_in_who_sets_them() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("root", "platform", "super_admin");
        let sets = |name: &str, networks: &str| {
            let new = changed(&format!(r#"{{"allowed_networks":{networks}}}"#), false).unwrap();
            lets_in(&db.caller(name), &new).map(|()| new.allowed_networks)
        };
        assert_eq!(
            sets("ann", r#"["192.0.2.1","2001:DB8::/32"]"#).unwrap(),
            ["192.0.2.1/32", "2001:db8::/32"]
        );
        assert!(sets("ann", "[]").unwrap().is_empty());
        let refused = sets("ann", r#"["10.0.0.0/8"]"#).unwrap_err();
        assert!(
            refused.status().as_u16() == 400 && refused.text().contains("192.0.2.1"),
            "{refused:?}"
        );
        assert!(sets("root", r#"["10.0.0.0/8"]"#).is_ok());
    }

    #[test]
    fn codes_by_mail_need_mail() {
        assert!(changed(r#"{"otp":"on"}"#, false).is_err());
        assert!(changed(r#"{"otp":"off"}"#, false).is_ok());
        assert_eq!(changed(r#"{"otp":"on"}"#, true).unwrap().otp, OtpPolicy::On);
    }

    #[test]
    fn the_log_says_what_changed_from_what_to_what() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        let ann = db.caller("ann");
        let found = db.run(store::find_own(ann.id()));
        let control = OrganizationControl::decide(ann, found).unwrap();
        let old = changeable();
        assert!(events(&control, &old, &old, None).is_empty());
        assert!(events(&control, &old, &old, Some((true, true))).is_empty());
        let new = old.clone().with(
            &serde_json::from_str(r#"{"display_name":"B","otp_expiry_minutes":5}"#).unwrap(),
            false,
        );
        for event in events(&control, &old, &new.unwrap(), Some((true, false))) {
            db.run(audit::record(&event));
        }
        for (action, old, new) in [
            (
                "organization_updated",
                r#"{"display_name":"Acme","enabled":true}"#,
                r#"{"display_name":"B","enabled":false}"#,
            ),
            (
                "settings_changed",
                r#"{"otp_expiry_minutes":10}"#,
                r#"{"otp_expiry_minutes":5}"#,
            ),
        ] {
            let entry = format!(
                "audit_log WHERE action = '{action}' AND details ->> 'old' = '{old}' AND details ->> 'new' = '{new}'"
            );
            assert_eq!(db.count(&entry), 1, "{action}");
        }
        assert_eq!(db.count("audit_log"), 2);
    }
}
