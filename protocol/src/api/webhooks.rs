//! Webhooks: addresses that an organization has told of what happens, and what became of each delivery (`docs/alerts.md`).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Longest name, in characters: a line of a list.
const MAX_NAME: usize = 100;

/// Longest address, as elsewhere on the web.
pub const MAX_URL: usize = 2048;

/// What a webhook can be told of whatever rules say: what happens, and what becomes of alerts.
pub const EVENTS: [&str; 8] = [
    "machine_offline",
    "machine_online",
    "session_start",
    "failed_login",
    "command",
    "high_usage",
    "alert_raised",
    "alert_resolved",
];

/// A webhook to be made, or all of one as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SaveWebhook {
    /// What people call it.
    #[schema(max_length = 100, min_length = 1, format = "line", required)]
    pub name: String,
    /// Where deliveries are posted: `https`, by a name or address that is public.
    #[schema(max_length = 2048, min_length = 1, required)]
    pub url: String,
    /// What it is told of whatever rules say. Rules name it themselves for their alerts.
    #[schema(max_items = 8, value_type = Vec<WebhookEvent>)]
    pub events: Vec<String>,
    /// Whether it is on.
    pub active: bool,
}

impl Default for SaveWebhook {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            events: Vec::new(),
            active: true,
        }
    }
}

impl Validate for SaveWebhook {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 1, MAX_NAME);
        faults.line("url", &self.url, 1, MAX_URL);
        faults.check(
            self.events.len() <= EVENTS.len(),
            "events",
            format!("must be at most {}", EVENTS.len()),
        );
        for (index, event) in self.events.iter().enumerate().take(EVENTS.len()) {
            faults.check(
                EVENTS.contains(&event.as_str()),
                format!("events[{index}]"),
                format!("must be one of {}", EVENTS.join(", ")),
            );
        }
    }
}

/// What a webhook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEvent {
    /// The agent of a machine is gone.
    MachineOffline,
    /// It is there.
    MachineOnline,
    /// Somebody opened a terminal.
    SessionStart,
    /// Somebody tried to sign in and could not.
    FailedLogin,
    /// A command was run.
    Command,
    /// A machine does worse or better than before.
    HighUsage,
    /// An alert of any rule was raised…
    AlertRaised,
    /// …and is over.
    AlertResolved,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
    /// Where deliveries are posted.
    pub url: String,
    /// What it is told of whatever rules say.
    pub events: Vec<WebhookEvent>,
    /// Whether it is on.
    pub active: bool,
    /// Since when nothing has arrived there, if nothing does.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was switched off because of that.
    pub switched_off_at: Option<DateTime<Utc>>,
    /// Until when deliveries are signed with the secret of before, too, if it was replaced a short while ago.
    pub former_secret_until: Option<DateTime<Utc>>,
    /// How many deliveries wait for it.
    pub pending: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody changed it last.
    pub updated_at: DateTime<Utc>,
}

/// The webhooks of an organization, by the time they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookList {
    /// All of them: there are at most 20.
    pub webhooks: Vec<Webhook>,
}

/// A webhook, and its new secret, which is not shown again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookCreated {
    /// The webhook.
    pub webhook: Webhook,
    /// What its deliveries are signed with: `whsec_` and base64.
    pub secret: String,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is sent as soon as its time has come.
    Pending,
    /// It arrived: the answer was a 2xx.
    Delivered,
    /// It was tried often enough.
    Failed,
}

/// Something that a webhook is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its id. With `msg_` before it, it is the `webhook-id` of every attempt.
    pub id: ObjectId,
    /// What it tells of: an event of webhooks, or `test`.
    pub event: String,
    /// The same in a line.
    pub summary: String,
    /// What is posted.
    pub payload: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// The status of the last answer; none if there was no answer.
    pub response_status: Option<u16>,
    /// How long the last attempt took.
    pub duration_ms: Option<u64>,
    /// The first bytes of the last answer, as text.
    pub response: String,
    /// Why the last attempt failed; empty if it did not.
    pub error: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A page of deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryList {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
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

    #[test]
    fn a_webhook_has_a_name_an_address_and_events_that_there_are() {
        let faults = refused_fields::<SaveWebhook>;
        assert_eq!(faults("{}"), ["name", "url"]);
        assert!(faults(r#"{"name":"ops","url":"https://a.example/x","events":["command","failed_login"]}"#).is_empty());
        assert_eq!(
            faults(r#"{"name":"ops","url":"https://a.example","events":["command","reboot"]}"#),
            ["events[1]"]
        );
        let many = format!(
            r#"{{"name":"ops","url":"https://a.example","events":{:?}}}"#,
            EVENTS.iter().chain(&["command"]).collect::<Vec<_>>()
        );
        assert_eq!(faults(&many), ["events"]);
        assert_eq!(
            faults(&format!(r#"{{"name":"ops","url":"https://{}"}}"#, "a".repeat(MAX_URL))),
            ["url"]
        );
    }

    #[test]
    fn every_event_has_a_place_in_the_document() {
        for event in EVENTS {
            assert!(serde_json::from_value::<WebhookEvent>(event.into()).is_ok(), "{event}");
        }
    }
}
