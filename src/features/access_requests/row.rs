//! What the database gives of requests.
use protocol::api::access_requests::AccessRequest;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// A request of a list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    #[serde(deserialize_with = "json")]
    pub request: AccessRequest,
}

/// Somebody who decides, as a letter finds them.
#[derive(Debug, Deserialize)]
pub struct Decider {
    pub email: String,
}

/// An approved request whose time is over.
#[derive(Debug, Deserialize)]
pub struct Expired {
    #[serde(deserialize_with = "json")]
    pub request: AccessRequest,
    pub organization_id: ObjectId,
}

/// A request that the caller may know of, and what they may do with it.
#[derive(Debug, Deserialize)]
pub struct Found {
    #[serde(deserialize_with = "json")]
    pub request: AccessRequest,
    pub organization_id: ObjectId,
    /// The caller manages the machine.
    #[serde(deserialize_with = "flag")]
    pub manages: bool,
    /// The caller has privileges there to give.
    #[serde(deserialize_with = "flag")]
    pub has_sudo: bool,
}
