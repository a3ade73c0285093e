//! People's tokens: JSON Web Tokens signed with `JWT_SECRET` (HS256).
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::platform::config::Config;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Who issued a token. Clients know this name (contract).
const ISSUER: &str = "vsay-auth";

/// Longest token worth parsing; ours have about 700 characters, and up to 2000 if they open several organizations.
const MAX_TOKEN: usize = 8192;

/// Signs and verifies people's tokens.
#[derive(Clone)]
pub struct TokenKey {
    key: Hs256Key,
    lifetime: TimeDelta,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// What a token says about its account. Only `user_id`, `sid`, `ver` and `source` are believed later; the rest is for clients.
#[derive(Debug, Serialize)]
pub struct Subject<'a> {
    pub user_id: &'a ObjectId,
    /// Its number.
    pub uid: i64,
    pub username: &'a str,
    pub email: &'a str,
    pub tenant_id: &'a str,
    pub tenant_name: &'a str,
    pub role: &'a str,
    /// Its role on machines.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub machine_role: &'a str,
    /// Names of its groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<&'a str>,
    /// The program it was issued to.
    pub source: &'a str,
    /// The sign-in it belongs to: the same in every token that was renewed from the first.
    pub sid: &'a str,
    /// The account's token version, which revokes all tokens when it rises.
    pub ver: i64,
}

#[derive(Serialize)]
struct Signed<T> {
    iss: &'static str,
    jti: String,
    #[serde(flatten)]
    subject: T,
}

/// Claims of an account's token that are there for clients only.
#[derive(Serialize)]
struct Account<'a> {
    sub: &'a ObjectId,
    keycloak_id: &'static str,
    #[serde(flatten)]
    subject: &'a Subject<'a>,
}

/// What is believed of a [`Subject`].
#[derive(Serialize)]
struct Bare<'a> {
    user_id: &'a ObjectId,
    source: &'a str,
    sid: &'a str,
    ver: i64,
}

/// Claims that say who issued them, so that no token of another issuer passes for ours.
pub trait Issued {
    /// Their `iss`.
    fn issuer(&self) -> &str;
}

#[derive(Clone, Deserialize)]
struct Presented {
    iss: String,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    ver: i64,
    #[serde(default)]
    sid: String,
    #[serde(default)]
    source: String,
}

impl Issued for Presented {
    fn issuer(&self) -> &str {
        &self.iss
    }
}

/// What a token proves. Whether the account is still active is for the database to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub user_id: ObjectId,
    /// The account's token version when it was issued.
    pub version: i64,
    /// The sign-in it belongs to.
    pub sign_in: String,
    /// The program it was issued to.
    pub source: String,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Not ours, or expired.
    Invalid,
    /// Ours, and names no account.
    NoUser,
}

impl TokenKey {
    /// The key of a deployment.
    pub fn of(config: &Config) -> Self {
        Self::new(&config.token_secret, config.token_lifetime)
    }

    /// A key whose bearer tokens live for `lifetime`.
    pub fn new(secret: &Secret, lifetime: TimeDelta) -> Self {
        Self {
            key: Hs256Key::new(secret.expose().as_bytes()),
            lifetime,
        }
    }

    /// How long a bearer token lives.
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// A bearer token.
    pub fn issue(&self, subject: &Subject) -> Result<Secret, ApiError> {
        let account = Account {
            sub: subject.user_id,
            keycloak_id: "",
            subject,
        };
        self.sign(account, self.lifetime)
    }

    /// A bearer token that says no more than it proves, so that a cookie holds it whatever is told of the account.
    pub fn renew(&self, proof: &Proof) -> Result<Secret, ApiError> {
        let subject = Bare {
            user_id: &proof.user_id,
            source: &proof.source,
            sid: &proof.sign_in,
            ver: proof.version,
        };
        self.sign(subject, self.lifetime)
    }

    /// A token with claims of another kind. It says no `user_id`, or it would be a bearer token.
    pub fn sign(&self, subject: impl Serialize, lifetime: TimeDelta) -> Result<Secret, ApiError> {
        let now = Utc::now();
        let claims = Claims::new(Signed {
            iss: ISSUER,
            jti: random::hex::<12>()?,
            subject,
        })
        .set_duration_and_issuance(&TimeOptions::new(TimeDelta::zero(), || now), lifetime)
        .set_not_before(now);
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map(Secret::from)
            .map_err(ApiError::internal)
    }

    /// What a bearer token proves.
    pub fn verify(&self, token: &str) -> Result<Proof, TokenFault> {
        self.verify_at(token, Utc::now())
    }

    fn verify_at(&self, token: &str, now: DateTime<Utc>) -> Result<Proof, TokenFault> {
        let claims: Presented = self.claims_at(token, now).ok_or(TokenFault::Invalid)?;
        let user_id = claims.user_id.parse().map_err(|_| TokenFault::NoUser)?;
        // One that belongs to no sign-in could not be ended alone.
        if claims.sid.is_empty() {
            return Err(TokenFault::Invalid);
        }
        Ok(Proof {
            user_id,
            version: claims.ver,
            sign_in: claims.sid,
            source: claims.source,
        })
    }

    /// The claims of a token that [`Self::sign`] signed and that has not expired.
    pub fn claims<T: Issued + DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        self.claims_at(token, Utc::now())
    }

    fn claims_at<T: Issued + DeserializeOwned + Clone>(&self, token: &str, now: DateTime<Utc>) -> Option<T> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let token = UntrustedToken::new(token).ok()?;
        let token = Hs256.validator::<T>(&self.key).validate(&token).ok()?;
        let claims = token.claims();
        let clock = TimeOptions::new(TimeDelta::zero(), || now);
        claims.validate_expiration(&clock).ok()?;
        (claims.custom.issuer() == ISSUER).then(|| claims.custom.clone())
    }
}

#[cfg(test)]
mod tests;
