//! What people do with commands.
pub mod cancel;
pub mod decide;
pub mod find;
pub mod list;
pub mod run;
pub mod run_many;

use crate::platform::error::ApiError;

/// What a client is told of a machine whose agent is not there (contract).
const OFFLINE: &str = "agent not connected";

fn offline() -> ApiError {
    ApiError::unavailable("agent_offline", OFFLINE)
}

fn busy(limit: usize) -> ApiError {
    ApiError::conflict(
        "too_many_commands",
        format!("{limit} commands are running or waiting on this machine already; wait for one to end"),
    )
}
