//! What the database gives of webhooks and deliveries, beside the bodies that it makes.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::flag;

/// A webhook of the caller's organization.
#[derive(Debug, Deserialize)]
pub struct FoundWebhook {
    pub id: ObjectId,
    pub name: String,
    #[serde(deserialize_with = "flag")]
    pub active: bool,
    pub body: String,
}

/// A delivery that was taken to be sent.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    pub id: ObjectId,
    /// One of the two is there.
    pub webhook_id: Option<ObjectId>,
    pub summary: String,
    pub payload: String,
    /// This one included.
    pub attempts: u32,
    pub max_attempts: u32,
    /// Of the webhook.
    pub url: Option<String>,
    pub secret_sealed: Option<String>,
    /// The secrets of before that sign, too, with a space between each.
    pub former_sealed: Option<String>,
    /// Of the person, unless they may not sign in any more.
    pub email: Option<String>,
}

/// A webhook where nothing has arrived for long.
#[derive(Debug, Deserialize)]
pub struct Dead {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub name: String,
    pub url: String,
    pub failing_since: String,
}
