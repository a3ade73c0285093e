//! Telling agents that what commands may run has changed. Each agent hears it again, if it has to, before it is told of a command: so what
//! is missed here holds with the next command.
use futures_util::future::join_all;
use protocol::ids::ObjectId;

use super::store::{self, Changeable};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Most relays told at once: each is a request, of which the platform allows a thousand.
const AT_ONCE: i64 = 500;

/// Has the relays of an organization look at it again, if it changed.
pub async fn tell(app: &App, organization: &ObjectId, old: &Changeable, new: &Changeable) -> Result<(), ApiError> {
    if old.command_policy == new.command_policy {
        return Ok(());
    }
    let machines = app.db()?.run(store::connected(organization, AT_ONCE)).await?;
    let told = machines
        .iter()
        .map(async |machine| app.relay(&machine.machine_id)?.recheck().await);
    for error in join_all(told).await.into_iter().filter_map(Result::err) {
        log::error(&format!(
            "a relay did not hear what commands may run: {}",
            error.cause()
        ));
    }
    Ok(())
}
