//! The account that calls, and which operations it passes.
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use protocol::networks::admits;
use protocol::relay_contract::SignIn;
use serde::Deserialize;

use super::proof::Proof;
use crate::audit::{Action, Event, RequestContext, Resource};
use crate::auth::permission::Permission;
use crate::auth::rule::{Effect, Operation, Rule};
use crate::http::client::Client;
use crate::platform::db::{flag, json};
use crate::platform::error::ApiError;

/// What a token that is wrong, expired or revoked is answered.
pub const INVALID_TOKEN: &str = "Invalid or expired token";

/// 403: the organization lets nobody in from there.
pub fn network_not_allowed(address: &str) -> ApiError {
    ApiError::forbidden(
        "network_not_allowed",
        format!("Your organization does not let anybody in from your network address ({address})"),
    )
}

/// An account as every request reads it.
#[derive(Debug, Clone, Deserialize)]
pub struct CallerRow {
    id: ObjectId,
    organization_id: ObjectId,
    username: String,
    role: Role,
    token_version: i64,
    /// Neither it nor its organization is disabled, deleted or waiting to be accepted.
    #[serde(deserialize_with = "flag")]
    is_active: bool,
    /// The sign-in it calls by was ended.
    #[serde(deserialize_with = "flag")]
    revoked: bool,
    /// Somebody else chose its password.
    #[serde(deserialize_with = "flag")]
    must_reset_password: bool,
    /// Of its roles, by codename.
    #[serde(deserialize_with = "json")]
    permissions: Vec<String>,
    /// From which networks it may come; empty is from all.
    #[serde(deserialize_with = "json")]
    networks: Vec<String>,
}

/// The account that calls, as it stands now. [`Credentials::load`](super::Credentials::load) makes one of a request, and
/// [`Self::by_clock`] where there is none.
#[derive(Debug, Clone)]
pub struct Caller {
    row: CallerRow,
    proof: Option<Proof>,
    context: RequestContext,
    /// No request came.
    by_clock: bool,
}

/// What the log says it was done with where nobody asks, but the clock does what somebody has asked for before.
const CLOCK: &str = "schedule";

impl Caller {
    /// The account of `row`, if the proof is still good.
    pub(super) fn admit(row: Option<CallerRow>, proof: Proof, context: RequestContext) -> Result<Self, ApiError> {
        let row = row.filter(|row| row.is_active && !row.revoked);
        let current = |row: &CallerRow| match &proof {
            Proof::Token(token) => row.token_version == token.version,
            Proof::Key(_) => true,
        };
        match row.filter(current) {
            Some(row) => Ok(Self {
                row,
                proof: Some(proof),
                context,
                by_clock: false,
            }),
            None => Err(ApiError::unauthorized(INVALID_TOKEN)),
        }
    }

    /// The account of `row`, for which the clock does what it has asked for before, if it still holds what that takes. Nobody comes from
    /// any network then, and whoever has to choose another password did not ask now.
    pub fn by_clock(row: Option<CallerRow>, takes: Permission) -> Option<Self> {
        let client = Client {
            source: CLOCK.to_owned(),
            ..Client::default()
        };
        let caller = Self {
            row: row.filter(|row| row.is_active)?,
            proof: None,
            context: RequestContext::of_nobody(client),
            by_clock: true,
        };
        caller.may(takes).then_some(caller)
    }

    /// Whether the rule of the operation lets this caller pass.
    pub(super) fn pass(&self, operation: Operation) -> Result<(), ApiError> {
        let address = &self.context.client.address;
        if !admits(&self.row.networks, address) {
            return Err(network_not_allowed(address));
        }
        if operation.effect == Effect::Writes && self.proof.as_ref().is_some_and(Proof::only_reads) {
            return Err(ApiError::forbidden("read_only_key", "This API key may only read"));
        }
        if operation.of_people && self.proof.as_ref().is_some_and(|proof| !proof.administers_people()) {
            return Err(ApiError::forbidden(
                "key_scope",
                "This API key does not administer people: that takes one of scope people:admin",
            ));
        }
        if self.row.must_reset_password && !operation.before_password_change {
            return Err(ApiError::password_change_required());
        }
        if operation.in_person {
            self.in_person()?;
        }
        let denied = |error: &'static str, permission: &str| {
            Err(ApiError::forbidden("forbidden", error).with_detail(format!("Permission denied: {permission}")))
        };
        match operation.rule {
            Rule::Open | Rule::Agent | Rule::SignedIn | Rule::Object => Ok(()),
            Rule::InPerson => self.in_person(),
            Rule::Needs(permission) => self.needs(permission),
            Rule::AdminOr(permission) if !self.may(permission) => {
                denied("Admin access required", permission.codename())
            }
            Rule::Admin if !self.is_admin() => denied("Admin access required", "administrators only"),
            Rule::SuperAdmin if self.row.role != Role::SuperAdmin => {
                denied("Super admin access required", "super administrators only")
            }
            Rule::AdminOr(_) | Rule::Admin | Rule::SuperAdmin => Ok(()),
        }
    }

    /// Fails with 403 unless it holds a permission. For what an operation takes besides its rule.
    pub fn needs(&self, permission: Permission) -> Result<(), ApiError> {
        match self.may(permission) {
            true => Ok(()),
            false => Err(ApiError::forbidden(
                "forbidden",
                format!("Permission denied: {}", permission.codename()),
            )),
        }
    }

    /// Fails with 403 if a key calls. For what would let a program keep or widen its hold on the account.
    pub fn in_person(&self) -> Result<(), ApiError> {
        match self.uses_key() {
            true => Err(ApiError::forbidden(
                "sign_in_required",
                "An API key may not do this: sign in with your password",
            )),
            false => Ok(()),
        }
    }

    /// An account that a test takes for proven.
    #[cfg(test)]
    pub fn proven(row: CallerRow) -> Self {
        Self {
            row,
            proof: None,
            context: RequestContext::of_a_test(),
            by_clock: false,
        }
    }

    pub fn id(&self) -> &ObjectId {
        &self.row.id
    }

    /// The organization it belongs to.
    pub fn organization_id(&self) -> &ObjectId {
        &self.row.organization_id
    }

    pub fn username(&self) -> &str {
        &self.row.username
    }

    /// Whether it administers its organization, or all of them.
    pub fn is_admin(&self) -> bool {
        self.row.role != Role::User
    }

    /// Whether it administers all organizations.
    pub fn is_super_admin(&self) -> bool {
        self.row.role == Role::SuperAdmin
    }

    /// Whether it holds a permission in its organization.
    pub fn may(&self, permission: Permission) -> bool {
        self.holds(permission.codename()) || permission.of_inventory().is_some_and(|codename| self.holds(codename))
    }

    /// The same, by codename.
    pub fn holds(&self, codename: &str) -> bool {
        self.is_admin() || self.row.permissions.iter().any(|name| name == codename)
    }

    /// The sign-in or key by which it calls: what it opens ends when that is withdrawn.
    pub fn sign_in(&self) -> String {
        self.proof.as_ref().map(Proof::sign_in).unwrap_or_default()
    }

    /// The same for the relay, with what else withdraws it: a later token version of the account, or the key's time.
    pub fn relay_proof(&self) -> SignIn {
        SignIn {
            sign_in: self.sign_in(),
            token_version: matches!(self.proof, Some(Proof::Token(_))).then_some(self.row.token_version),
            until: match &self.proof {
                Some(Proof::Key(key)) => key.expires_at,
                _ => None,
            },
            address: self.context.client.address.clone(),
        }
    }

    /// Whether it calls by a key: secrets of the account are not shown to it.
    pub fn uses_key(&self) -> bool {
        matches!(self.proof, Some(Proof::Key(_)))
    }

    /// Its token version as it is now, which ends all its tokens when it rises.
    pub fn token_version(&self) -> i64 {
        self.row.token_version
    }

    /// The program that calls.
    pub fn source(&self) -> &str {
        &self.context.client.source
    }

    /// How its request came.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Something this caller does, in the log of its own organization.
    pub fn event(&self, action: Action, resource: Resource) -> Event {
        let event = match self.by_clock {
            true => Event::of(action, resource).with(self.context.client.clone()),
            false => self.context.event(action, resource),
        };
        event.by(self.id(), self.username()).within(self.organization_id())
    }
}

#[cfg(test)]
mod tests;
