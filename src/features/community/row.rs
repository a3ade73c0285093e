//! What the database gives of the community, beside the bodies that it makes.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::flag;

/// An issue that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundIssue {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub title: String,
    /// The caller may change it.
    #[serde(deserialize_with = "flag")]
    pub controls: bool,
    pub body: String,
}

/// A fix or a comment that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundPost {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub issue_id: ObjectId,
    /// The title of the issue.
    pub title: String,
    /// Who wrote it, by name.
    pub author: String,
    /// The caller may remove it.
    #[serde(deserialize_with = "flag")]
    pub controls: bool,
}

/// A machine that an issue can be about.
#[derive(Debug, Deserialize)]
pub struct Subject {
    pub id: ObjectId,
}

/// A picture by its name.
#[derive(Debug, Deserialize)]
pub struct Picture {
    pub id: String,
}
