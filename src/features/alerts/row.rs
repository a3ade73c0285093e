//! What the database gives of alerts and rules, beside the bodies that it makes.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::flag;

/// A rule or an alert of the caller's organization.
#[derive(Debug, Deserialize)]
pub struct Found {
    pub id: ObjectId,
    /// What the log calls it.
    pub name: String,
    pub body: String,
}

/// What a rule names, as far as it is there in the caller's organization.
#[derive(Debug, Deserialize)]
pub struct Named {
    #[serde(deserialize_with = "flag")]
    pub group: bool,
    pub machine_id: Option<ObjectId>,
    #[serde(deserialize_with = "flag")]
    pub users: bool,
    #[serde(deserialize_with = "flag")]
    pub webhooks: bool,
}

/// What there is to do.
#[derive(Debug, Deserialize)]
pub struct Waiting {
    /// The last signal to look at, if there is one.
    pub until: Option<i64>,
    /// The time of an alert has come.
    #[serde(deserialize_with = "flag")]
    pub due: bool,
}
