//! What the database gives of the inventory, besides bodies.
use std::collections::BTreeMap;

use protocol::api::inventory::rules::Effect;
use protocol::api::inventory::types::{Definition, SyncSource};
use protocol::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::platform::db::{flag, json, optional_json};

/// A type of the caller's organization.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundType {
    pub id: i64,
    pub slug: String,
    #[serde(deserialize_with = "json")]
    pub definition: Definition,
    #[serde(deserialize_with = "flag")]
    pub is_builtin: bool,
    /// How many things it has.
    pub object_count: i64,
    /// The whole of it as it is stored.
    pub stored: String,
    pub body: String,
}

/// A type, and perhaps a thing of it.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundObject {
    #[serde(flatten)]
    pub of: FoundType,
    pub object: Option<i64>,
    #[serde(deserialize_with = "optional_json")]
    pub data: Option<Map<String, Value>>,
    /// Sealed, by field.
    #[serde(deserialize_with = "optional_json")]
    pub secrets: Option<BTreeMap<String, String>>,
    /// What was read, to be compared with what is there when it is written.
    pub data_stored: Option<String>,
    pub secrets_stored: Option<String>,
    /// What the caller may do with it.
    #[serde(deserialize_with = "json")]
    pub may: Vec<String>,
    pub object_body: Option<String>,
    /// The rules about it, as JSON.
    pub rules: Option<String>,
    /// The numbers of its tags.
    #[serde(deserialize_with = "json")]
    pub tags: Vec<i64>,
}

/// A field of which another thing has the value.
#[derive(Debug, Deserialize)]
pub struct Taken {
    pub field: String,
}

/// A part of a list: either what is known of the whole, or an entry.
#[derive(Debug, Deserialize)]
pub struct Listed {
    pub body: Option<String>,
    pub total: u64,
    /// Whether the caller may see any.
    #[serde(deserialize_with = "flag")]
    pub sees: bool,
}

/// A tag of the caller's organization.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundTag {
    pub id: i64,
    pub name: String,
}

/// What a tag lets one of the roles do.
#[derive(Debug, Clone, Deserialize)]
pub struct Grant {
    pub tag: i64,
    pub tag_name: String,
    pub permission: String,
}

/// A rule about a thing.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundRule {
    pub id: i64,
    pub role_id: i64,
    pub permission: String,
    pub effect: Effect,
}

/// A number.
#[derive(Debug, Deserialize)]
pub struct Number {
    pub id: i64,
}

/// A type whose things come from somewhere by themselves.
#[derive(Debug, Clone, Deserialize)]
pub struct SyncedType {
    pub id: i64,
    #[serde(deserialize_with = "json")]
    pub definition: Definition,
    /// How often that has changed since it was looked at.
    pub changes: Option<i64>,
}

/// What is said of a thing there, and how it is in the inventory, if it is there.
#[derive(Debug, Deserialize)]
pub struct Differing {
    pub key: String,
    #[serde(deserialize_with = "json")]
    pub said: Map<String, Value>,
    pub object: Option<i64>,
    #[serde(deserialize_with = "optional_json")]
    pub data: Option<Map<String, Value>>,
    #[serde(deserialize_with = "optional_json")]
    pub secrets: Option<BTreeMap<String, String>>,
    pub read_at: Option<String>,
}

/// What has changed of an organization and was not looked at.
#[derive(Debug, Deserialize)]
pub struct Stale {
    pub organization_id: ObjectId,
    pub source: SyncSource,
}

/// A credential that a deployment gave out before.
#[derive(Debug, Deserialize)]
pub struct KnownCredential {
    pub id: i64,
    #[serde(deserialize_with = "json")]
    pub data: Map<String, Value>,
    #[serde(deserialize_with = "json")]
    pub secrets: BTreeMap<String, String>,
    pub read_at: String,
}

/// A thing for a file.
#[derive(Debug, Deserialize)]
pub struct Exported {
    pub id: i64,
    pub name: String,
    #[serde(deserialize_with = "json")]
    pub data: Map<String, Value>,
    /// The names of its tags.
    #[serde(deserialize_with = "json")]
    pub tags: Vec<String>,
}
