//! The script of a new machine: a command that it runs once, when it is first enrolled. It goes the way of all commands that wait
//! for their machine, and so starts once at most.
use protocol::ids::ObjectId;
use protocol::limits::SCRIPT_SECONDS;
use protocol::relay_contract::RunCommand;

use super::id::new_id;
use super::row::ScriptRow;
use super::store;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, now};
use crate::platform::error::ApiError;
use crate::platform::log;

/// Writes down that a machine that was given this key in the same transaction is to run its script, unless it did before.
pub fn of_new_machine(machine: &ObjectId, public_key: &str) -> Result<Query<Nothing>, ApiError> {
    Ok(store::insert_script(
        machine,
        &new_id()?,
        public_key,
        SCRIPT_SECONDS,
        &now(),
    ))
}

/// Hands the script of a machine to its relay, if it waits. Again does no harm; a failure is made good when the agent connects.
pub async fn hand_over(app: &App, machine: &ObjectId) {
    if let Err(error) = try_hand_over(app, machine).await {
        log::error(&format!("a script could not be handed over: {}", error.cause()));
    }
}

async fn try_hand_over(app: &App, machine: &ObjectId) -> Result<(), ApiError> {
    for script in app.db()?.run(store::waiting_script(machine)).await? {
        app.relay(machine)?.run_command(&order(script)).await?;
    }
    Ok(())
}

fn order(script: ScriptRow) -> RunCommand {
    RunCommand {
        machine: script.machine_id,
        agent_id: script.agent_id,
        command_id: script.command_id,
        user: script.user_id,
        username: script.username,
        command: script.command,
        timeout_seconds: script.timeout_seconds,
        allow_sudo: script.sudo,
        script: true,
        when_online: true,
        wait: false,
        limits: script.limits,
    }
}
