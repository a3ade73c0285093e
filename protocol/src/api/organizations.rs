//! Organizations and their settings.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_logs::{MAX_MASK, MAX_MASKS};
use super::command_policy::{self, CommandPolicy};
use super::detail::detail;
use super::validate::{Faults, Validate};
use crate::ids::ObjectId;
use crate::networks::{MAX_NETWORKS, Network};
use crate::terminal::limits::{MAX_IDLE_MINUTES, MAX_MEMORY_MB, MAX_PROCESSES, MIN_MEMORY_MB, MIN_PROCESSES};

/// Longest name of an organization, in characters.
pub const MAX_NAME: usize = 100;

/// Shortest name that becomes a slug, in characters.
pub const MIN_NAME: usize = 3;

/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2000;

/// How long a code to sign in may be good for, in minutes.
pub const OTP_MINUTES: std::ops::RangeInclusive<u32> = 1..=60;

/// Longest time an account may go unused before it is disabled, in days: ten years. 0 is for ever.
pub const MAX_INACTIVE_DAYS: u32 = 3650;

/// Longest time that logs or recordings may be kept, in days: ten years. Whoever means more means for ever, which is 0.
pub const MAX_KEPT_DAYS: u32 = 3650;

/// Most sessions that a limit may name, of an organization or of one of its people: what a thousand full machines have.
pub const MAX_SESSIONS: u32 = 100_000;

/// The name of an organization in URLs: lower case, with `-` for white space.
pub fn slug(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

/// Which sign-ins by password need a code sent by mail. `ui` goes by what a program says of itself, so it spares programs a code
/// and stops nobody who knows a password: `on` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtpPolicy {
    /// None does.
    Off,
    /// Those in a browser do.
    Ui,
    /// All do.
    On,
}

impl OtpPolicy {
    /// The policy as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ui => "ui",
            Self::On => "on",
        }
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organization {
    /// The row.
    pub id: ObjectId,
    /// Its name in URLs, tokens and `tenant_id`, for ever.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// As `name`; clients of an older directory look for it.
    pub keycloak_realm: String,
    /// Whether its people may sign in.
    pub enabled: bool,
    /// How many people it has.
    pub user_count: u64,
    /// How many machines it has.
    pub machine_count: u64,
    /// Whether sign-ins by password need a code sent by mail.
    pub otp: OtpPolicy,
    /// How long such a code is good for, in minutes.
    pub otp_expiry_minutes: u32,
    /// Whether only administrators make machines.
    pub admins_create_machines: bool,
    /// After how many days an unused account is disabled; 0 is never.
    pub inactive_days: u32,
    /// Whether terminal sessions are recorded.
    pub record_sessions: bool,
    /// For how many days a recording is kept; 0 is for ever.
    pub recording_days: u32,
    /// For how many days the command log is kept, ended sessions and jobs, and commands that were sent and ended; 0 is for ever.
    pub command_log_days: u32,
    /// What is masked in commands before they are stored. A `*` stands for whatever comes up to the next blank or quote, and is what
    /// is masked then, as in `--password *`.
    pub command_masks: Vec<String>,
    /// After how many minutes without a key a terminal ends; 0 is never.
    pub terminal_idle_minutes: u32,
    /// How many terminal sessions may run at once on its machines; 0 is as many as like.
    pub max_sessions: u32,
    /// The same, of one person.
    pub max_user_sessions: u32,
    /// How many processes a session or command may have at once; 0 is as many as the machine lets it.
    pub max_processes: u32,
    /// How much memory they may take together, in MiB; 0 is as much as the machine has.
    pub max_memory_mb: u32,
    /// From which networks its people may come; empty is from all.
    pub allowed_networks: Vec<String>,
    /// Whether its agents have to come from there, too.
    pub networks_for_agents: bool,
    /// What commands may run on its machines.
    pub command_policy: CommandPolicy,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}

detail! {
    /// One organization, both wrapped and flat.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    OrganizationDetail {
        /// The organization.
        organization: Organization,
    }
}

/// Organizations, by slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationList {
    /// The organizations of this page.
    pub organizations: Vec<Organization>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// An organization to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateOrganization {
    /// What its slug is made of: lower case, with `-` for white space. Unique.
    #[schema(
        required,
        min_length = 3,
        max_length = 100,
        example = "Acme Inc",
        format = "line-without-slash"
    )]
    pub name: String,
    /// What people call it.
    #[schema(required, min_length = 1, max_length = 100, format = "line")]
    pub display_name: String,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: String,
}

impl Validate for CreateOrganization {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, MIN_NAME, MAX_NAME);
        faults.check(
            !self.name.contains('/'),
            "name",
            "must not contain a slash: it becomes a part of addresses",
        );
        faults.line("display_name", &self.display_name, 1, MAX_NAME);
        faults.text("description", &self.description, MAX_DESCRIPTION);
    }
}

/// What to change of an organization. What is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateOrganization {
    /// Whether its people may sign in. If not, they are signed out at once, and their terminals end. For super administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, format = "text")]
    pub description: Option<String>,
    /// Whether sign-ins by password need a code sent by mail. Anything but `off` needs a server that sends mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otp: Option<OtpPolicy>,
    /// How long such a code is good for, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 60)]
    pub otp_expiry_minutes: Option<u32>,
    /// Whether only administrators make machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admins_create_machines: Option<bool>,
    /// After how many days an unused account is disabled; 0 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub inactive_days: Option<u32>,
    /// Whether terminal sessions are recorded. Those that run go on as they began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_sessions: Option<bool>,
    /// For how many days a recording is kept; 0 is for ever. It counts for what is kept already, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub recording_days: Option<u32>,
    /// For how many days the command log is kept, ended sessions and jobs, and commands that were sent and ended; 0 is for ever. It counts for
    /// what is kept already, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub command_log_days: Option<u32>,
    /// What is masked in commands that are stored from now on: texts that do not begin with `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50, min_length = 1, max_length = 200)]
    pub command_masks: Option<Vec<String>>,
    /// After how many minutes without a key a terminal ends; 0 is never. It holds for terminals that are opened from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 240)]
    pub terminal_idle_minutes: Option<u32>,
    /// How many terminal sessions may run at once on its machines; 0 is as many as like. Those that run go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100000)]
    pub max_sessions: Option<u32>,
    /// The same, of one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100000)]
    pub max_user_sessions: Option<u32>,
    /// How many processes a session or command that starts from now on may have at once: 16 or more, or 0 for as many as the machine
    /// lets it. It holds where the agent can make it hold, which the machine's `metadata` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 4194304)]
    pub max_processes: Option<u32>,
    /// How much memory they may take together, in MiB: 64 or more, or 0 for as much as the machine has. It holds where the former does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 16777216)]
    pub max_memory_mb: Option<u32>,
    /// From which networks its people may come: `203.0.113.0/24`, `2001:db8::/32`, or single addresses. Empty is from all. Super
    /// administrators come from everywhere; anybody else must be in it to set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100, min_length = 2, max_length = 43)]
    pub allowed_networks: Option<Vec<String>>,
    /// Whether its agents have to come from there, too, when they next connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks_for_agents: Option<bool>,
    /// What commands may run on its machines from now on, in place of what held before. Lists that are left out become empty.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "command_policy::of_request"
    )]
    pub command_policy: Option<CommandPolicy>,
}

/// Whether something may be kept for so long.
pub(super) fn within_kept_days(faults: &mut Faults, field: &str, days: Option<u32>) {
    let within = days.is_none_or(|days| days <= MAX_KEPT_DAYS);
    faults.check(within, field, format!("must be 0 to {MAX_KEPT_DAYS}"));
}

impl Validate for UpdateOrganization {
    fn validate(&self, faults: &mut Faults) {
        if let Some(name) = &self.display_name {
            faults.line("display_name", name, 1, MAX_NAME);
        }
        if let Some(description) = &self.description {
            faults.text("description", description, MAX_DESCRIPTION);
        }
        if let Some(minutes) = self.otp_expiry_minutes {
            let (first, last) = (OTP_MINUTES.start(), OTP_MINUTES.end());
            faults.check(
                OTP_MINUTES.contains(&minutes),
                "otp_expiry_minutes",
                format!("must be {first} to {last}"),
            );
        }
        if let Some(days) = self.inactive_days {
            faults.check(
                days <= MAX_INACTIVE_DAYS,
                "inactive_days",
                format!("must be 0 to {MAX_INACTIVE_DAYS}"),
            );
        }
        within_kept_days(faults, "recording_days", self.recording_days);
        within_kept_days(faults, "command_log_days", self.command_log_days);
        for (field, value, least, most) in [
            ("terminal_idle_minutes", self.terminal_idle_minutes, 0, MAX_IDLE_MINUTES),
            ("max_sessions", self.max_sessions, 0, MAX_SESSIONS),
            ("max_user_sessions", self.max_user_sessions, 0, MAX_SESSIONS),
            ("max_processes", self.max_processes, MIN_PROCESSES, MAX_PROCESSES),
            ("max_memory_mb", self.max_memory_mb, MIN_MEMORY_MB, MAX_MEMORY_MB),
        ] {
            let within = value.is_none_or(|value| value == 0 || (least..=most).contains(&value));
            let or_none = if least == 0 { "" } else { "0 for none, or " };
            faults.check(within, field, format!("must be {or_none}{least} to {most}"));
        }
        if let Some(masks) = &self.command_masks {
            faults.check(
                masks.len() <= MAX_MASKS,
                "command_masks",
                format!("must be at most {MAX_MASKS} texts"),
            );
            for mask in masks.iter().take(MAX_MASKS) {
                faults.line("command_masks", mask, 1, MAX_MASK);
                faults.check(!mask.starts_with('*'), "command_masks", "must not begin with *");
            }
        }
        if let Some(networks) = &self.allowed_networks {
            faults.check(
                networks.len() <= MAX_NETWORKS,
                "allowed_networks",
                format!("must be at most {MAX_NETWORKS} networks"),
            );
            let wrong = networks.iter().find_map(|text| text.parse::<Network>().err());
            if let Some(wrong) = wrong {
                faults.check(false, "allowed_networks", wrong.to_string());
            }
        }
        if let Some(policy) = &self.command_policy {
            policy.validate_as_field(faults);
        }
    }
}

/// What proves that an organization is to be deleted with everything in it. The query may say `force=true` in its place.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeleteOrganization {
    /// The organization's `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub confirm: Option<String>,
}

impl Validate for DeleteOrganization {
    fn validate(&self, faults: &mut Faults) {
        if let Some(confirm) = &self.confirm {
            faults.text("confirm", confirm, MAX_NAME);
        }
    }
}

/// How large an organization is and how busy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// People.
    pub user_count: u64,
    /// Machines.
    pub machine_count: u64,
    /// Machines whose agent is connected.
    pub online_machine_count: u64,
    /// Groups.
    pub group_count: u64,
    /// Terminals opened on its machines since midnight, UTC.
    pub session_count_today: u64,
    /// Terminals that are open on its machines.
    pub active_session_count: u64,
    /// As `user_count`.
    pub total_users: u64,
    /// Of these, administrators.
    pub admin_users: u64,
    /// Of these, others.
    pub regular_users: u64,
    /// As `group_count`.
    pub total_groups: u64,
}

/// An organization and how busy it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationStats {
    /// The organization.
    pub organization: Organization,
    /// How busy it is.
    pub stats: Stats,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields as fields;

    #[test]
    fn a_slug_is_lower_case_without_white_space() {
        assert_eq!(slug("  Acme  Inc\t2 "), "acme-inc-2");
    }

    #[test]
    fn an_organization_needs_two_names() {
        assert!(fields::<CreateOrganization>(r#"{"name":"Acme","display_name":"Acme"}"#).is_empty());
        assert_eq!(
            fields::<CreateOrganization>(r#"{"name":"a/b","description":"\u0000"}"#),
            ["name", "display_name", "description"]
        );
    }

    #[test]
    fn settings_have_bounds() {
        let text = r#"{"display_name":"","otp_expiry_minutes":61,"inactive_days":3651,"recording_days":3651,"command_log_days":3651,
            "terminal_idle_minutes":241,"max_sessions":100001,"max_user_sessions":100001,"max_processes":15,"max_memory_mb":16777217,
            "command_masks":["*","a","--password *"],"allowed_networks":["10.0.0.0/8","10.0.0.1/8"]}"#;
        let expected = [
            "display_name",
            "otp_expiry_minutes",
            "inactive_days",
            "recording_days",
            "command_log_days",
            "terminal_idle_minutes",
            "max_sessions",
            "max_user_sessions",
            "max_processes",
            "max_memory_mb",
            "command_masks",
            "allowed_networks",
        ];
        assert_eq!(fields::<UpdateOrganization>(text), expected);
        assert!(
            fields::<UpdateOrganization>(r#"{"enabled":false,"otp":"on","inactive_days":0,"command_log_days":0}"#)
                .is_empty()
        );
        let none =
            r#"{"terminal_idle_minutes":0,"max_sessions":0,"max_user_sessions":0,"max_processes":0,"max_memory_mb":0}"#;
        let least = r#"{"terminal_idle_minutes":1,"max_sessions":1,"max_user_sessions":1,"max_processes":16,"max_memory_mb":64}"#;
        assert!(fields::<UpdateOrganization>(none).is_empty() && fields::<UpdateOrganization>(least).is_empty());
        assert!(serde_json::from_str::<UpdateOrganization>(r#"{"otp":"sometimes"}"#).is_err());
    }
}
