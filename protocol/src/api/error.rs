//! How a request fails.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One field of a request that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field as the request spells it, such as `linux_user` or `tags[3]`.
    pub field: String,
    /// What is allowed, for people.
    pub message: String,
}

/// The body of every answer from 400 up under `/api`, `/agent` and `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What happened, for people.
    pub error: String,
    /// The same text, for clients that look for it under this name.
    pub detail: String,
    /// What happened, for programs: snake case, such as `name_taken`.
    pub code: String,
    /// The fields that were not accepted; only with status 400.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub fields: Vec<FieldError>,
    /// How many accounts are in the way; only where an organization has people and nobody said to delete them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_count: Option<u64>,
    /// The time here, in UTC; only with the code `clock_skew`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub now: Option<DateTime<Utc>>,
    /// Names the log lines of the request, as the header `X-Request-Id` does; only with a status from 500 up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
}
