//! Who is calling. [`Credentials`] prove an account; [`Caller`] is that account as the database has it at this moment.
//!
//! Handlers take `Credentials` as an argument and turn them into a `Caller` with [`Credentials::load`], together with the
//! rows they need themselves, in one round trip.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::store;
use super::token::{Proof, TokenFault};
use crate::config::Config;
use crate::db::{Batch, Db};
use crate::error::ApiError;
use crate::extract::QueryParams;

/// What a token that is wrong, expired or revoked is answered.
const INVALID_TOKEN: &str = "Invalid or expired token";

/// Personal API keys begin so, and none is known: they are refused by name, so that nobody takes one for a broken token.
const API_KEY_PREFIX: &str = "vsay_";

/// A token that was verified. Whether its account still stands is only known after [`Self::load`].
#[derive(Debug)]
pub struct Credentials(Proof);

impl Credentials {
    /// The account they are for, to bind to the query that goes along in [`Self::load`].
    pub fn user_id(&self) -> &ObjectId {
        &self.0.user_id
    }

    /// Runs `batch` together with the look-up of the account, in one round trip.
    ///
    /// Fails with 401 if the account has been disabled or deleted, or its tokens revoked.
    pub async fn load<B: Batch>(self, db: &Db, batch: B) -> Result<(Caller, B::Rows), ApiError> {
        let (accounts, rows) = db.run((store::find_caller(&self.0.user_id), batch)).await?;
        Ok((Caller::admit(accounts.into_iter().next(), &self.0)?, rows))
    }

    fn verify(config: &Config, token: &str) -> Result<Self, ApiError> {
        if token.starts_with(API_KEY_PREFIX) {
            return Err(ApiError::unauthorized("Invalid API key"));
        }
        config.tokens.verify(token).map(Self).map_err(|fault| match fault {
            TokenFault::Invalid => ApiError::unauthorized(INVALID_TOKEN),
            TokenFault::NoUser => ApiError::unauthorized("Invalid user ID in token"),
        })
    }
}

impl FromRequestParts<Arc<Config>> for Credentials {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)?.ok_or_else(|| ApiError::unauthorized("Authorization header required"))?;
        Self::verify(config, token)
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

    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let QueryParams(TokenParam { token }) = QueryParams::from_request_parts(parts, config).await?;
        let token = match token.as_deref().filter(|token| !token.is_empty()) {
            Some(token) => Some(token),
            None => bearer(&parts.headers)?,
        };
        let token = token.ok_or_else(|| {
            ApiError::unauthorized(
                "Token required for WebSocket connection (use ?token= query parameter or Authorization header)",
            )
        })?;
        Credentials::verify(config, token).map(Self)
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
    token_version: i64,
    disabled_at: Option<String>,
    deleted_at: Option<String>,
}

/// The account that calls, as it stands now. Only this module makes one.
#[derive(Debug, Clone)]
pub struct Caller(CallerRow);

impl Caller {
    fn admit(row: Option<CallerRow>, proof: &Proof) -> Result<Self, ApiError> {
        row.filter(|row| row.disabled_at.is_none() && row.deleted_at.is_none() && row.token_version == proof.version)
            .map(Self)
            .ok_or_else(|| ApiError::unauthorized(INVALID_TOKEN))
    }

    /// An account that a test takes for proven.
    #[cfg(test)]
    pub fn proven(row: CallerRow) -> Self {
        Self(row)
    }

    /// The account.
    pub fn id(&self) -> &ObjectId {
        &self.0.id
    }

    /// The organization it belongs to.
    pub fn organization_id(&self) -> &ObjectId {
        &self.0.organization_id
    }

    /// Its name.
    pub fn username(&self) -> &str {
        &self.0.username
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
            token_version: 3,
            disabled_at: None,
            deleted_at: None,
        }
    }

    fn proof() -> Proof {
        Proof {
            user_id: row().id,
            version: 3,
            source: "ui".into(),
        }
    }

    #[test]
    fn a_token_is_dead_once_its_account_is_gone_disabled_deleted_or_has_a_newer_version() {
        let when = || Some("2026-01-01T00:00:00Z".to_owned());
        assert!(Caller::admit(Some(row()), &proof()).is_ok());
        for dead in [
            None,
            Some(CallerRow {
                disabled_at: when(),
                ..row()
            }),
            Some(CallerRow {
                deleted_at: when(),
                ..row()
            }),
            Some(CallerRow {
                token_version: 4,
                ..row()
            }),
        ] {
            assert!(Caller::admit(dead, &proof()).is_err());
        }
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
