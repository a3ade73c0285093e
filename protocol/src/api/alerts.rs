//! Alerts: rules that say what an organization wants to know, and what came of them (`docs/alerts.md`).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// Longest name, in characters: a line of a list, and part of a subject.
const MAX_NAME: usize = 100;

/// Longest tag, as machines have them.
const MAX_TAG: usize = 50;

/// Longest id of a group or machine in a request; ids and public names are shorter.
const MAX_ID: usize = 64;

/// Longest program, in characters: a word of a command.
const MAX_PROGRAM: usize = 64;

/// Longest time that a machine may be away before it is told, in minutes: a day.
pub const MAX_MINUTES: u32 = 1440;

/// Longest time within which failed sign-ins are counted, in minutes: for so long they are kept to be counted.
pub const MAX_COUNTED_MINUTES: u32 = 60;

/// Most failed sign-ins that a rule waits for.
pub const MAX_COUNT: u32 = 100;

/// Longest time in which the same is told once, in minutes: a week.
pub const MAX_QUIET: u32 = 10_080;

/// Most people, and most webhooks, that one rule tells: each is a request of its own.
pub const MAX_TOLD: usize = 20;

/// What rules can be about.
pub const EVENTS: [&str; 6] = [
    "machine_offline",
    "machine_online",
    "session_start",
    "failed_login",
    "command",
    "high_usage",
];

/// A rule to be made, or all of one as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SaveAlertRule {
    /// What people call it.
    #[schema(max_length = 100, min_length = 1, format = "line", required)]
    pub name: String,
    /// What it is about.
    #[schema(value_type = AlertEvent, required)]
    pub event: String,
    /// Only machines with this tag. At most one of `tag`, `group_id` and `machine_id` narrows a rule; none if it is about sign-ins.
    #[schema(max_length = 50, min_length = 1, format = "line")]
    pub tag: Option<String>,
    /// Only machines of this group.
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub group_id: Option<String>,
    /// Only this machine, by its `id` or its `agent_id`.
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub machine_id: Option<String>,
    /// `machine_offline`: how long the machine must be away, 0 to 1440. `failed_login`: within which time, 1 to 60.
    #[schema(minimum = 0, maximum = 1440)]
    pub minutes: u32,
    /// `failed_login`: how many.
    #[schema(minimum = 1, maximum = 100)]
    pub count: u32,
    /// `command`: only those with this word in them. Empty: all.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._+-]*$")]
    pub program: String,
    /// `command`: only those that ended with another exit code than 0.
    pub failed_only: bool,
    /// `high_usage`: from which state on.
    #[schema(value_type = AlertLevel)]
    pub level: String,
    /// For how many minutes the same is not told again.
    #[schema(minimum = 0, maximum = 10080)]
    pub quiet_minutes: u32,
    /// Members of the organization who get a mail.
    #[schema(max_items = 20)]
    pub user_ids: Vec<String>,
    /// Webhooks of the organization that are told.
    #[schema(max_items = 20)]
    pub webhook_ids: Vec<String>,
    /// Whether it is on.
    pub active: bool,
}

impl Default for SaveAlertRule {
    fn default() -> Self {
        Self {
            name: String::new(),
            event: String::new(),
            tag: None,
            group_id: None,
            machine_id: None,
            minutes: 5,
            count: 5,
            program: String::new(),
            failed_only: false,
            level: "critical".to_owned(),
            quiet_minutes: 60,
            user_ids: Vec::new(),
            webhook_ids: Vec::new(),
            active: true,
        }
    }
}

impl Validate for SaveAlertRule {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 1, MAX_NAME);
        faults.check(
            EVENTS.contains(&self.event.as_str()),
            "event",
            format!("must be one of {}", EVENTS.join(", ")),
        );
        let of_sign_ins = self.event == "failed_login";
        let mut narrowed = of_sign_ins;
        for (field, value, max) in [
            ("tag", &self.tag, MAX_TAG),
            ("group_id", &self.group_id, MAX_ID),
            ("machine_id", &self.machine_id, MAX_ID),
        ] {
            if let Some(text) = value {
                faults.line(field, text, 1, max);
                faults.check(
                    !narrowed,
                    field,
                    match of_sign_ins {
                        true => "cannot narrow a rule about sign-ins",
                        false => "cannot narrow a rule that is narrowed already",
                    },
                );
                narrowed = true;
            }
        }
        let minutes = match of_sign_ins {
            true => 1..=MAX_COUNTED_MINUTES,
            false => 0..=MAX_MINUTES,
        };
        faults.check(
            minutes.contains(&self.minutes),
            "minutes",
            format!("must be {} to {}", minutes.start(), minutes.end()),
        );
        faults.check(
            (1..=MAX_COUNT).contains(&self.count),
            "count",
            format!("must be 1 to {MAX_COUNT}"),
        );
        let in_words = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
        faults.check(
            self.program.len() <= MAX_PROGRAM && self.program.bytes().all(in_words),
            "program",
            format!(
                "must be one word of at most {MAX_PROGRAM} letters, digits, dots, dashes, underscores and plus signs"
            ),
        );
        faults.check(
            ["warning", "critical"].contains(&self.level.as_str()),
            "level",
            "must be warning or critical",
        );
        faults.check(
            self.quiet_minutes <= MAX_QUIET,
            "quiet_minutes",
            format!("must be 0 to {MAX_QUIET}"),
        );
        for (field, ids) in [("user_ids", &self.user_ids), ("webhook_ids", &self.webhook_ids)] {
            faults.check(
                ids.len() <= MAX_TOLD && ids.iter().all(|id| id.len() <= MAX_ID),
                field,
                format!("must be at most {MAX_TOLD} ids"),
            );
        }
    }
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    /// A machine is away for a time. Over when it is back.
    MachineOffline,
    /// A machine is back.
    MachineOnline,
    /// Somebody opens a terminal.
    SessionStart,
    /// So many sign-ins with one name fail within a time.
    FailedLogin,
    /// A command is run.
    Command,
    /// A machine does badly. Over when it does better.
    HighUsage,
}

/// From which state of a machine on a rule tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// A warning, or worse.
    Warning,
    /// Nothing less.
    Critical,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    /// Its id.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
    /// What it is about.
    pub event: AlertEvent,
    /// Only machines with this tag.
    pub tag: Option<String>,
    /// Only machines of this group.
    pub group_id: Option<ObjectId>,
    /// Only this machine.
    pub machine_id: Option<ObjectId>,
    /// How long a machine must be away, or within which time sign-ins must fail.
    pub minutes: u32,
    /// How many sign-ins must fail.
    pub count: u32,
    /// Only commands with this word in them; all if it is empty.
    pub program: String,
    /// Only commands that failed.
    pub failed_only: bool,
    /// From which state of a machine on.
    pub level: AlertLevel,
    /// For how many minutes the same is not told again.
    pub quiet_minutes: u32,
    /// Who gets a mail.
    pub user_ids: Vec<ObjectId>,
    /// Which webhooks are told.
    pub webhook_ids: Vec<ObjectId>,
    /// Whether it is on.
    pub active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody changed it last.
    pub updated_at: DateTime<Utc>,
}

/// The rules of an organization, by the time they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertRuleList {
    /// All of them: there are at most 50.
    pub rules: Vec<AlertRule>,
}

/// Where an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// What it tells of goes on, or nobody has taken note of it.
    Open,
    /// It is over.
    Resolved,
}

impl AlertStatus {
    /// The word that travels and is stored, of a text that is one.
    pub fn parse(text: &str) -> Option<&'static str> {
        ["open", "resolved"].into_iter().find(|word| *word == text)
    }
}

/// Something that a rule tells of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: ObjectId,
    /// The rule; none once that is gone.
    pub rule_id: Option<ObjectId>,
    /// What the rule was called.
    pub rule_name: String,
    /// What it is about.
    pub event: AlertEvent,
    /// The same in a line.
    pub summary: String,
    /// The machine it is about.
    pub agent_id: Option<AgentId>,
    /// What is known of it: `machine`, `username`, `command` and the like, as in the payload of a delivery.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// Where it is.
    pub status: AlertStatus,
    /// How often it happened.
    pub count: u32,
    /// When it happened first…
    pub started_at: DateTime<Utc>,
    /// …and last.
    pub last_at: DateTime<Utc>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When somebody took note of it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who did, by name; empty if nobody has.
    pub acknowledged_by: String,
}

/// A page of alerts, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    fn faults(fields: &str) -> Vec<String> {
        refused_fields::<SaveAlertRule>(&format!(r#"{{"name":"r"{fields}}}"#))
    }

    #[test]
    fn a_rule_has_a_name_and_an_event_and_what_is_usual_for_the_rest() {
        assert_eq!(refused_fields::<SaveAlertRule>("{}"), ["name", "event"]);
        for event in EVENTS {
            assert!(faults(&format!(r#","event":"{event}""#)).is_empty(), "{event}");
            assert!(serde_json::from_value::<AlertEvent>(event.into()).is_ok(), "{event}");
        }
    }

    #[test]
    fn every_bound_is_kept() {
        for (fields, field) in [
            (r#","event":"reboot""#, "event"),
            (r#","event":"machine_offline","minutes":1441"#, "minutes"),
            (r#","event":"failed_login","minutes":0"#, "minutes"),
            (r#","event":"failed_login","minutes":61"#, "minutes"),
            (r#","event":"failed_login","count":0"#, "count"),
            (r#","event":"failed_login","count":101"#, "count"),
            (r#","event":"command","program":"rm -rf""#, "program"),
            (r#","event":"command","program":"/bin/rm""#, "program"),
            (r#","event":"high_usage","level":"healthy""#, "level"),
            (r#","event":"command","quiet_minutes":10081"#, "quiet_minutes"),
            (r#","event":"command","tag":"""#, "tag"),
        ] {
            assert_eq!(faults(fields), [field], "{fields}");
        }
        let many = format!(r#","event":"command","user_ids":{:?}"#, vec!["a"; MAX_TOLD + 1]);
        assert_eq!(faults(&many), ["user_ids"]);
    }

    #[test]
    fn one_thing_narrows_a_rule_and_none_one_about_sign_ins() {
        assert_eq!(
            faults(r#","event":"command","tag":"web","machine_id":"m""#),
            ["machine_id"]
        );
        assert_eq!(faults(r#","event":"failed_login","tag":"web""#), ["tag"]);
        assert!(faults(r#","event":"machine_offline","group_id":"g""#).is_empty());
    }
}
