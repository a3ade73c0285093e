//! What the database gives of API keys.
use chrono::{DateTime, Utc};
use protocol::api::api_keys::KeyScope;
use protocol::ids::ObjectId;
use serde::Deserialize;

/// A key as it is stored, without its digest.
#[derive(Debug, Deserialize)]
pub struct KeyRow {
    pub id: ObjectId,
    pub name: String,
    pub key_prefix: String,
    pub scope: KeyScope,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}
