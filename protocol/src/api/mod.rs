//! The bodies of the REST API, one file per feature. A body is not a database row: what is not written here is not
//! published.
pub mod access;
pub mod access_events;
pub mod access_requests;
pub mod agents;
pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod branding;
pub mod command_logs;
pub mod command_policy;
pub mod commands;
pub mod community;
pub mod dashboard;
mod detail;
pub mod error;
pub mod export;
pub mod facts;
pub mod groups;
pub mod health;
pub mod instances;
pub mod inventory;
pub mod jobs;
pub mod log_management;
pub mod machines;
pub mod metrics;
pub mod oidc;
pub mod organizations;
pub mod pattern;
pub mod profile;
pub mod recordings;
pub mod roles;
pub mod schedules;
pub mod secret;
pub mod series;
pub mod services;
pub mod sessions;
pub mod sharing;
pub mod users;
pub mod v1;
pub mod v1_auth;
pub mod v1_machines;
pub mod v1_organizations;
pub mod v1_users;
pub mod validate;
pub mod webhooks;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to a change that has nothing else to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// For people.
    pub message: String,
}
