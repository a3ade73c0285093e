//! Rights over services: the rule of an operation says what its caller may do with services, and this with which.
use protocol::ids::ObjectId;

use super::row::ServiceRow;
use super::store;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// The right to do with one service what the rule of the operation is about.
#[derive(Debug)]
pub struct ServiceAccess {
    caller: Caller,
    found: ServiceRow,
}

impl ServiceAccess {
    /// The right over the service that is called so in paths.
    pub async fn load(app: &App, credentials: Credentials, address: &str) -> Result<Self, ApiError> {
        let (access, ()) = Self::load_with(app, credentials, address, Ok(())).await?;
        Ok(access)
    }

    /// The same, with what else the path says. What is wrong with that is told to whoever the rule lets pass, before it is told whether
    /// there is such a service (contract).
    pub async fn load_with<T>(
        app: &App,
        credentials: Credentials,
        address: &str,
        more: Result<T, ApiError>,
    ) -> Result<(Self, T), ApiError> {
        let find = store::runner(credentials.user_id(), address);
        let (caller, found) = credentials.load(&app.db()?, find).await?;
        let more = more?;
        Ok((Self::decide(caller, found)?, more))
    }

    /// The right, if a service was found for this caller.
    pub fn decide(caller: Caller, found: Vec<ServiceRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(absent()),
            Some(found) => Ok(Self { caller, found }),
        }
    }

    /// The machine of its runner.
    pub fn machine(&self) -> &ObjectId {
        &self.found.machine_id
    }

    /// Its directory at the runner.
    pub fn directory(&self) -> &str {
        &self.found.name
    }

    /// Something that was done to a file of it, for the log.
    pub fn event(&self, action: Action, file: &str) -> Event {
        self.caller
            .event(action, Resource::Service)
            .on(format!("{}/{file}", self.found.name))
            .detail("agent_id", self.found.agent_id.as_str())
    }
}

/// 404 in the words of the contract.
pub fn absent() -> ApiError {
    ApiError::not_found("Service not found")
}
