//! Rights over webhooks: whoever administers an organization has those over its own, and nobody over another's.
use protocol::ids::ObjectId;

use super::row::FoundWebhook;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right over one webhook.
#[derive(Debug)]
pub struct WebhookControl {
    found: FoundWebhook,
    caller: Caller,
}

impl WebhookControl {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundWebhook>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            _ if !caller.is_admin() => Err(ApiError::not_authorized()),
            None => Err(ApiError::not_found("Webhook not found")),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn id(&self) -> &ObjectId {
        &self.found.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The body that was found.
    pub fn into_body(self) -> String {
        self.found.body
    }

    /// Something done to the webhook, for the log.
    pub fn event(&self, action: Action) -> Event {
        self.caller
            .event(action, Resource::Webhook)
            .on(&self.found.id)
            .detail("name", self.found.name.as_str())
    }

    /// Fails with 409 if it is off: nothing is sent there.
    pub fn expect_active(&self) -> Result<(), ApiError> {
        match self.found.active {
            true => Ok(()),
            false => Err(ApiError::conflict("webhook_off", "The webhook is switched off")),
        }
    }
}
