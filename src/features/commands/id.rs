//! The names of commands.
use protocol::ids::CommandId;

use crate::platform::error::ApiError;
use crate::platform::random;

/// The name of a new command. They sort by creation.
pub fn new_id() -> Result<CommandId, ApiError> {
    format!("cmd_{}", random::object_id()?)
        .try_into()
        .map_err(ApiError::internal)
}
