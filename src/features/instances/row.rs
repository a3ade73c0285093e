//! What the database gives of instances.
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// What is known of a list as a whole.
#[derive(Debug, Deserialize)]
pub struct HeadRow {
    pub body: String,
    /// Whether there is one.
    #[serde(deserialize_with = "flag")]
    pub listed: bool,
}

/// An instance in the inventory.
#[derive(Debug, Deserialize)]
pub struct HostRow {
    /// Its name there.
    pub host: String,
    #[serde(deserialize_with = "json")]
    pub tags: Vec<String>,
    /// An [`InventoryHost`](protocol::api::instances::InventoryHost).
    pub body: String,
}

/// What something costs that instances have in common.
#[derive(Debug, Deserialize)]
pub struct GroupRow {
    /// A [`TagCost`](protocol::api::instances::TagCost) or a [`RegionCost`](protocol::api::instances::RegionCost).
    pub body: String,
    /// The same as a field of an object.
    pub field: String,
}

/// Whether it is known of an instance that it is there.
#[derive(Debug, Deserialize)]
pub struct Known {
    /// Whether the list is whole, and new enough to be believed.
    #[serde(deserialize_with = "flag")]
    pub fresh: bool,
    /// Whether it has the instance.
    #[serde(deserialize_with = "flag")]
    pub there: bool,
}

/// A provider's key.
#[derive(Debug, Deserialize)]
pub struct KeyRow {
    pub key_sealed: String,
}
