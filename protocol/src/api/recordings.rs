//! Recordings of terminal sessions.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AgentId, ObjectId, SessionId};

/// How long an address of a file is good for, in seconds (contract).
pub const URL_SECONDS: u64 = 900;

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The session runs, or what it wrote is not all stored.
    Recording,
    /// It has all that the shell wrote.
    Complete,
    /// It became too long, and ends before the shell did.
    Truncated,
    /// The agent was restarted, or the machine deleted, before all was read.
    Interrupted,
}

/// One session's recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recording {
    /// The row.
    pub id: ObjectId,
    /// The session's name.
    pub session_id: SessionId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// What people called the machine when the recording began.
    pub machine_name: String,
    /// The organization's name in URLs.
    pub tenant_id: String,
    /// Whose session it was.
    pub user_id: ObjectId,
    /// By which name.
    pub username: String,
    /// What the names of its parts in the bucket begin with.
    pub s3_key: String,
    /// How far it is.
    pub state: RecordingState,
    /// What it takes in the bucket, in bytes; 0 while it runs.
    pub size_bytes: u64,
    /// What the terminal wrote, in bytes; 0 while it runs.
    pub output_bytes: u64,
    /// How long it plays, in seconds; 0 while it runs.
    pub duration_seconds: f64,
    /// Width of the terminal when it began.
    pub cols: u16,
    /// Height of the terminal when it began.
    pub rows: u16,
    /// How the shell exited, if it did.
    pub exit_code: Option<i64>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When the session ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it is removed; nothing if it is kept for ever, and while it runs.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the caller may delete it.
    pub can_delete: bool,
}

/// Recordings, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingList {
    /// The recordings of this page.
    pub recordings: Vec<Recording>,
    /// How many there are in all.
    pub total: u64,
    /// How many were asked for.
    pub limit: u64,
    /// How many come before these.
    pub skip: u64,
}

/// One recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingDetail {
    /// The recording.
    pub recording: Recording,
}

/// Where the file is for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingUrl {
    /// The address. Whoever has it reads the file: no sign-in is asked for.
    pub url: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u64,
    /// The recording.
    pub recording: Recording,
}

/// A part of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// The offset of its first byte in what the terminal wrote, by which it is asked for.
    pub offset: u64,
    /// The offset after its last byte.
    pub end: u64,
    /// The time of its first event, in milliseconds since the recording began.
    pub from_ms: u64,
    /// The time of its last event.
    pub to_ms: u64,
    /// Its length as a file, in bytes.
    pub size_bytes: u64,
}

/// What a player loads first: the index of its segmented recordings, version 1. Pauses are shortened to three seconds in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Playback {
    /// Of this form.
    pub version: u8,
    /// How long it plays, in seconds.
    pub duration: f64,
    /// The terminal's size when it began.
    pub term: PlaybackTerm,
    /// What it loads as it needs it.
    pub segments: Vec<PlaybackSegment>,
    /// When that is played which was asked for by `t`, in seconds.
    pub start_at: Option<f64>,
}

/// A terminal's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaybackTerm {
    /// Its width.
    pub cols: u16,
    /// Its height.
    pub rows: u16,
}

/// A part of a recording that can be played without those before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlaybackSegment {
    /// When it begins to play, in seconds.
    pub start: f64,
    /// Where it is: its path on this server.
    pub url: String,
}

/// What a player loads of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlaybackPart {
    /// What it begins with.
    pub snapshot: PlaybackSnapshot,
    /// What happens: when, in seconds; what kind, as in asciicast; and what came.
    pub events: Vec<(f64, String, String)>,
}

/// What a terminal showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaybackSnapshot {
    /// Its width.
    pub cols: u16,
    /// Its height.
    pub rows: u16,
    /// Escape sequences that draw it.
    pub init: String,
}

/// The parts of a recording, for those who read files or for players.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SegmentIndex {
    /// As they are stored.
    Segments(Segments),
    /// As they are played.
    Playback(Playback),
}

/// The parts of a recording, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segments {
    /// The parts.
    pub segments: Vec<Segment>,
    /// The `offset` to ask for the rest with; nothing if these are all, so far.
    pub next: Option<u64>,
}
