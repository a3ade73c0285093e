//! What the database gives of jobs.
use protocol::api::jobs::JobStatus;
use protocol::ids::{JobId, ObjectId};
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// A job of the caller's organization, as it was found.
#[derive(Debug, Deserialize)]
pub struct FoundJob {
    /// A [`Job`](protocol::api::jobs::Job) without its output.
    pub body: String,
    /// The last line of its output, if the edge or the agent has something to say.
    pub note: Option<String>,
    /// Whether the caller may see it.
    #[serde(deserialize_with = "flag")]
    pub sees: bool,
    pub id: JobId,
    /// Its runner, unless that is gone or the edge runs it.
    pub machine_id: Option<ObjectId>,
    pub service: String,
    pub action: String,
    pub status: JobStatus,
    /// Whether the caller may call it off, if it may call off any.
    #[serde(deserialize_with = "flag")]
    pub may_cancel: bool,
}

/// A deployment that runs while another is to begin.
#[derive(Debug, Deserialize)]
pub struct HeldUpBy {
    pub job: JobId,
}

/// A job of the caller's organization that is to run again.
#[derive(Debug, Deserialize)]
pub struct PastJob {
    pub id: JobId,
    /// Whether the caller may see it.
    #[serde(deserialize_with = "flag")]
    pub sees: bool,
    pub service: String,
    pub action: String,
    pub script: Option<String>,
    /// The type of what of the inventory it is about, if it is an action of that.
    pub type_slug: Option<String>,
    pub status: JobStatus,
    /// What it was given.
    pub inputs_sealed: Option<String>,
}

/// A job in a list.
#[derive(Debug, Deserialize)]
pub struct ListedJob {
    pub id: String,
    pub body: String,
    pub note: Option<String>,
    /// How long its output is.
    pub output_bytes: u64,
}

/// A part of a job's output.
#[derive(Debug, Deserialize)]
pub struct OutputRow {
    pub job_id: String,
    pub text: String,
}

/// A part of a job's output for somebody who watches it; none if there is none.
#[derive(Debug, Deserialize)]
pub struct WatchedRow {
    pub status: JobStatus,
    pub note: Option<String>,
    /// From which networks the watcher may come; empty is from all.
    #[serde(deserialize_with = "json")]
    pub networks: Vec<String>,
    pub offset: Option<u64>,
    pub text: Option<String>,
}

/// How much of a job's output is stored, and whether it runs.
#[derive(Debug, Deserialize)]
pub struct StoredRow {
    pub output_bytes: u64,
}

/// A job of a runner that has ended well, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EndingJob {
    pub id: JobId,
    pub organization_id: ObjectId,
    pub machine_id: ObjectId,
    /// Of which service it was.
    pub service: String,
}

/// A job of the edge that runs.
#[derive(Debug, Deserialize)]
pub struct EdgeRow {
    /// Who has called it off.
    pub cancelled_by: Option<String>,
}

/// A job of the edge that was ended, as nobody does its work any more.
#[derive(Debug, Deserialize)]
pub struct LostRow {
    pub id: JobId,
    pub organization_id: ObjectId,
}

/// What is known of a job that a runner has a note of; nothing if nobody waits for it.
#[derive(Debug, Deserialize)]
pub struct KnownRow {
    pub job: JobId,
    pub output_bytes: Option<u64>,
    pub cancelled_by: Option<String>,
}
