//! Who is calling. [`Credentials`] prove an account; [`Caller`] is that account as the database has it at this moment.
//!
//! Handlers take `Credentials` as an argument and turn them into a `Caller` with [`Credentials::load`], together with the
//! rows they need themselves, in one round trip.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::keys::{self, API_KEY_PREFIX};
use super::permission::Permission;
use super::policy::{self, Effect, Rule};
use super::store;
use super::token::{self, TokenFault};
use crate::app::App;
use crate::audit::{self, Action, Event, Resource, Trail};
use crate::config::Config;
use crate::db::{Batch, Db, flag, json};
use crate::error::ApiError;
use crate::extract::QueryParams;

/// What a token that is wrong, expired or revoked is answered.
const INVALID_TOKEN: &str = "Invalid or expired token";

/// What was verified of a request: by which account, in which way, and for which operation. Whether the account still stands
/// and may do this is only known after [`Self::load`].
#[derive(Debug)]
pub struct Credentials {
    proof: Proof,
    rule: Rule,
    effect: Effect,
    trail: Trail,
}

/// In which way a caller proved its account.
#[derive(Debug, Clone)]
enum Proof {
    Token(token::Proof),
    Key(keys::UsedKey),
}

impl Proof {
    fn user_id(&self) -> &ObjectId {
        match self {
            Self::Token(proof) => &proof.user_id,
            Self::Key(key) => &key.user_id,
        }
    }

    fn only_reads(&self) -> bool {
        matches!(self, Self::Key(key) if key.only_reads())
    }

    /// What ends everything that was opened with this proof when it is withdrawn.
    fn sign_in(&self) -> String {
        match self {
            Self::Token(proof) => proof.sign_in.clone(),
            Self::Key(key) => key.sign_in(),
        }
    }
}

impl Credentials {
    /// The account they are for, to bind to the query that goes along in [`Self::load`].
    pub fn user_id(&self) -> &ObjectId {
        self.proof.user_id()
    }

    /// How the request came.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Runs `batch` together with the look-up of the account, in one round trip.
    ///
    /// Fails with 401 if the account has been disabled or deleted, or its tokens revoked, and with 403, which the audit log
    /// remembers, if the operation's rule does not let it pass.
    pub async fn load<B: Batch>(self, db: &Db, batch: B) -> Result<(Caller, B::Rows), ApiError> {
        let account = store::find_caller(self.user_id(), &self.proof.sign_in());
        let (accounts, rows) = db.run((account, batch)).await?;
        let (rule, effect) = (self.rule, self.effect);
        let caller = Caller::admit(accounts.into_iter().next(), self.proof, self.trail)?;
        if let Err(error) = caller.pass(rule, effect) {
            db.run(audit::record(&caller.denied(&error))).await?;
            return Err(error);
        }
        Ok((caller, rows))
    }

    async fn verify(parts: &mut Parts, config: &Arc<Config>, token: &str) -> Result<Self, ApiError> {
        let Ok(mut trail) = Trail::from_request_parts(parts, config).await;
        let rule = policy::rule(&parts.method, &trail.endpoint)
            .ok_or_else(|| ApiError::internal(format!("no rule for {} {}", parts.method, trail.endpoint)))?;
        let proof = if token.starts_with(API_KEY_PREFIX) {
            let app = App::from_request_parts(parts, config).await?;
            Proof::Key(keys::verify(&app, token).await?)
        } else {
            Proof::Token(config.tokens.verify(token).map_err(|fault| match fault {
                TokenFault::Invalid => ApiError::unauthorized(INVALID_TOKEN),
                TokenFault::NoUser => ApiError::unauthorized("Invalid user ID in token"),
            })?)
        };
        // What a token was issued to, its bearer does not choose. A key's bearer may name itself.
        match &proof {
            Proof::Token(proof) => trail.client.source.clone_from(&proof.source),
            Proof::Key(_) if !parts.headers.contains_key("x-source") => trail.client.source = keys::SOURCE.to_owned(),
            Proof::Key(_) => {}
        }
        Ok(Self {
            effect: policy::effect(&parts.method, &parts.headers),
            proof,
            rule,
            trail,
        })
    }
}

impl FromRequestParts<Arc<Config>> for Credentials {
    type Rejection = ApiError;

    #[worker::send]
    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)?
            .ok_or_else(|| ApiError::unauthorized("Authorization header required"))?
            .to_owned();
        Self::verify(parts, config, &token).await
    }
}

/// Credentials of a WebSocket, which a browser cannot give a header: `?token=` counts before `Authorization`.
#[derive(Debug)]
pub struct SocketCredentials(pub Credentials);

#[derive(Deserialize)]
struct TokenParam {
    token: Option<String>,
}

impl FromRequestParts<Arc<Config>> for SocketCredentials {
    type Rejection = ApiError;

    #[worker::send]
    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let QueryParams(TokenParam { token }) = QueryParams::from_request_parts(parts, config).await?;
        let token = match token.filter(|token| !token.is_empty()) {
            Some(token) => Some(token),
            None => bearer(&parts.headers)?.map(str::to_owned),
        };
        let token = token.ok_or_else(|| {
            ApiError::unauthorized(
                "Token required for WebSocket connection (use ?token= query parameter or Authorization header)",
            )
        })?;
        Credentials::verify(parts, config, &token).await.map(Self)
    }
}

/// The token of an `Authorization` header, if there is one.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    match parts {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(ApiError::unauthorized(
            "Invalid authorization format. Use: Bearer <token>",
        )),
    }
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
    stands: bool,
    /// The sign-in it calls by was ended.
    #[serde(deserialize_with = "flag")]
    revoked: bool,
    /// Of its roles, by codename.
    #[serde(deserialize_with = "json")]
    permissions: Vec<String>,
}

/// The account that calls, as it stands now. Only this module makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    row: CallerRow,
    proof: Option<Proof>,
    trail: Trail,
}

impl Caller {
    fn admit(row: Option<CallerRow>, proof: Proof, trail: Trail) -> Result<Self, ApiError> {
        let row = row.filter(|row| row.stands && !row.revoked);
        let current = |row: &CallerRow| match &proof {
            Proof::Token(token) => row.token_version == token.version,
            Proof::Key(_) => true,
        };
        match row.filter(current) {
            Some(row) => Ok(Self {
                row,
                proof: Some(proof),
                trail,
            }),
            None => Err(ApiError::unauthorized(INVALID_TOKEN)),
        }
    }

    /// Whether the rule of the operation lets this caller pass.
    fn pass(&self, rule: Rule, effect: Effect) -> Result<(), ApiError> {
        if effect == Effect::Writes && self.only_reads() {
            return Err(ApiError::forbidden("read_only_key", "This API key may only read"));
        }
        let denied = |error: &'static str, permission: &str| {
            Err(ApiError::forbidden("forbidden", error).with_detail(format!("Permission denied: {permission}")))
        };
        match rule {
            Rule::Open | Rule::Agent | Rule::SignedIn | Rule::Object => Ok(()),
            Rule::InPerson if matches!(self.proof, Some(Proof::Key(_))) => Err(ApiError::forbidden(
                "sign_in_required",
                "An API key may not do this: sign in with your password",
            )),
            Rule::Needs(permission) if !self.may(permission) => Err(ApiError::forbidden(
                "forbidden",
                format!("Permission denied: {}", permission.codename()),
            )),
            Rule::AdminOr(permission) if !self.may(permission) => {
                denied("Admin access required", permission.codename())
            }
            Rule::Admin if !self.is_admin() => denied("Admin access required", "administrators only"),
            Rule::SuperAdmin if self.row.role != Role::SuperAdmin => {
                denied("Super admin access required", "super administrators only")
            }
            Rule::InPerson | Rule::Needs(_) | Rule::AdminOr(_) | Rule::Admin | Rule::SuperAdmin => Ok(()),
        }
    }

    /// An account that a test takes for proven.
    #[cfg(test)]
    pub fn proven(row: CallerRow) -> Self {
        Self {
            row,
            proof: None,
            trail: Trail::of_a_test(),
        }
    }

    /// The account.
    pub fn id(&self) -> &ObjectId {
        &self.row.id
    }

    /// The organization it belongs to.
    pub fn organization_id(&self) -> &ObjectId {
        &self.row.organization_id
    }

    /// Its name.
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
        self.holds(permission.codename())
    }

    /// The same, by codename.
    pub fn holds(&self, codename: &str) -> bool {
        self.is_admin() || self.row.permissions.iter().any(|name| name == codename)
    }

    /// The sign-in or key by which it calls: what it opens ends when that is withdrawn.
    pub fn sign_in(&self) -> String {
        self.proof.as_ref().map(Proof::sign_in).unwrap_or_default()
    }

    /// Whether it calls by a key that may only read: secrets that allow more are not shown to it.
    pub fn only_reads(&self) -> bool {
        self.proof.as_ref().is_some_and(Proof::only_reads)
    }

    /// The program that calls.
    pub fn source(&self) -> &str {
        &self.trail.client.source
    }

    /// How its request came.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Something this caller does, in the log of its own organization.
    pub fn event(&self, action: Action, resource: Resource) -> Event {
        self.trail
            .event(action, resource)
            .by(self.id(), self.username())
            .within(self.organization_id())
    }

    /// Something this caller was refused.
    pub fn denied(&self, error: &ApiError) -> Event {
        self.event(Action::Denied, Resource::Unknown)
            .failed(error.status().as_u16(), error.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> CallerRow {
        CallerRow {
            id: "0".repeat(24).parse().unwrap(),
            organization_id: "1".repeat(24).parse().unwrap(),
            username: "john".into(),
            role: Role::User,
            token_version: 3,
            stands: true,
            revoked: false,
            permissions: vec!["users.view".to_owned()],
        }
    }

    fn admit(row: Option<CallerRow>) -> Result<Caller, ApiError> {
        let proof = token::Proof {
            user_id: "0".repeat(24).parse().unwrap(),
            version: 3,
            sign_in: "s".into(),
            source: "ui".into(),
        };
        Caller::admit(row, Proof::Token(proof), Trail::of_a_test())
    }

    #[test]
    fn a_token_is_dead_once_its_account_is_gone_or_does_not_stand_or_has_a_newer_version_or_signed_out() {
        assert!(admit(Some(row())).is_ok());
        for dead in [
            None,
            Some(CallerRow { stands: false, ..row() }),
            Some(CallerRow { revoked: true, ..row() }),
            Some(CallerRow {
                token_version: 4,
                ..row()
            }),
        ] {
            assert!(admit(dead).is_err());
        }
    }

    #[test]
    fn rules_let_pass_whom_they_name() {
        let of = |role| admit(Some(CallerRow { role, ..row() })).unwrap();
        let callers = [of(Role::User), of(Role::CompanyAdmin), of(Role::SuperAdmin)];
        for (rule, expected) in [
            (Rule::SignedIn, [true, true, true]),
            (Rule::Object, [true, true, true]),
            (Rule::Needs(Permission::UsersView), [true, true, true]),
            (Rule::Needs(Permission::RolesEdit), [false, true, true]),
            (Rule::AdminOr(Permission::UsersView), [true, true, true]),
            (Rule::AdminOr(Permission::UsersEdit), [false, true, true]),
            (Rule::Admin, [false, true, true]),
            (Rule::SuperAdmin, [false, false, true]),
        ] {
            let passed = callers
                .each_ref()
                .map(|caller| caller.pass(rule, Effect::Writes).is_ok());
            assert_eq!(passed, expected, "{rule:?}");
        }
    }

    #[test]
    fn a_key_that_only_reads_passes_no_write() {
        let key = keys::UsedKey::of_a_test(row().id, "read");
        let caller = Caller::admit(Some(row()), Proof::Key(key), Trail::of_a_test()).unwrap();
        assert!(caller.pass(Rule::SignedIn, Effect::Reads).is_ok());
        assert!(caller.pass(Rule::SignedIn, Effect::Writes).is_err());
    }

    #[test]
    fn a_key_passes_no_rule_that_wants_a_person() {
        let key = keys::UsedKey::of_a_test(row().id, "full");
        let caller = Caller::admit(Some(row()), Proof::Key(key), Trail::of_a_test()).unwrap();
        assert!(caller.pass(Rule::SignedIn, Effect::Writes).is_ok());
        assert!(caller.pass(Rule::InPerson, Effect::Writes).is_err());
        assert!(admit(Some(row())).unwrap().pass(Rule::InPerson, Effect::Writes).is_ok());
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        let of = |value: &str| {
            let headers = [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(of("Bearer abc").unwrap().as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").unwrap().as_deref(), Some("abc"));
        assert!(bearer(&HeaderMap::new()).unwrap().is_none());
        for bad in ["", "abc", "Basic abc"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
