//! People's tokens: JSON Web Tokens signed with `JWT_SECRET` (HS256).
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use protocol::api::auth::Factor;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::features::sign_in::opened::Opened;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Who issued a token. Clients know this name (contract).
const ISSUER: &str = "vsay-auth";

/// How long a sign-in may wait for the code it needs.
const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(10);

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
    /// The account.
    pub user_id: &'a ObjectId,
    /// Its number.
    pub uid: i64,
    /// Its name.
    pub username: &'a str,
    /// Its mail address.
    pub email: &'a str,
    /// The organization's slug.
    pub tenant_id: &'a str,
    /// The organization's name.
    pub tenant_name: &'a str,
    /// Its role.
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
struct Issued<T> {
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

/// Claims of a token that is no bearer token: it says no `user_id`.
#[derive(Serialize)]
struct Session<'a> {
    email: &'a str,
    tenant_ids: Vec<&'a str>,
    source: &'a str,
    opened: &'a Opened,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<Challenged>,
}

#[derive(Clone, Deserialize)]
struct PresentedSession {
    iss: String,
    opened: Opened,
    challenge: Option<Challenged>,
}

/// What a sign-in to one of its accounts waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenged {
    /// The account.
    pub account: ObjectId,
    /// The code.
    pub factor: Factor,
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

/// What a token proves. Whether the account still stands is for the database to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The account.
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
    /// A key whose tokens live for `lifetime`.
    pub fn new(secret: &str, lifetime: TimeDelta) -> Self {
        Self {
            key: Hs256Key::new(secret.as_bytes()),
            lifetime,
        }
    }

    /// How long a token lives, in seconds.
    pub fn lifetime_seconds(&self) -> u64 {
        self.lifetime.num_seconds().unsigned_abs()
    }

    /// A bearer token.
    pub fn issue(&self, subject: &Subject) -> Result<Secret, ApiError> {
        self.sign(
            Account {
                sub: subject.user_id,
                keycloak_id: "",
                subject,
            },
            self.lifetime,
            Utc::now(),
        )
    }

    /// A token that proves what a sign-in has opened, to choose among organizations. It lives as long as a bearer token: that
    /// is for how long switching is one click.
    pub fn issue_session(&self, opened: &Opened) -> Result<Secret, ApiError> {
        self.sign(session(opened, None), self.lifetime, Utc::now())
    }

    /// A token for the second step of a sign-in.
    pub fn issue_challenge(&self, opened: &Opened, challenged: Challenged) -> Result<Secret, ApiError> {
        self.sign(session(opened, Some(challenged)), CHALLENGE_LIFETIME, Utc::now())
    }

    fn sign(&self, subject: impl Serialize, lifetime: TimeDelta, now: DateTime<Utc>) -> Result<Secret, ApiError> {
        let claims = Claims::new(Issued {
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
        let claims: Presented = self.claims(token, now).ok_or(TokenFault::Invalid)?;
        if claims.iss != ISSUER {
            return Err(TokenFault::Invalid);
        }
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

    /// What a session token has opened, if it is good.
    pub fn verify_session(&self, token: &str) -> Option<Opened> {
        let claims: PresentedSession = self.claims(token, Utc::now())?;
        (claims.iss == ISSUER && claims.challenge.is_none()).then_some(claims.opened)
    }

    /// Which step of which sign-in a token is for, if it is good.
    pub fn verify_challenge(&self, token: &str) -> Option<(Opened, Challenged)> {
        let claims: PresentedSession = self.claims(token, Utc::now())?;
        let challenged = claims.challenge.filter(|_| claims.iss == ISSUER)?;
        Some((claims.opened, challenged))
    }

    /// The claims of a token with our signature that has not expired.
    fn claims<T: DeserializeOwned + Clone>(&self, token: &str, now: DateTime<Utc>) -> Option<T> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let token = UntrustedToken::new(token).ok()?;
        let token = Hs256.validator::<T>(&self.key).validate(&token).ok()?;
        let claims = token.claims();
        let clock = TimeOptions::new(TimeDelta::zero(), || now);
        claims.validate_expiration(&clock).ok()?;
        Some(claims.custom.clone())
    }
}

fn session(opened: &Opened, challenge: Option<Challenged>) -> Session<'_> {
    Session {
        email: &opened.email,
        tenant_ids: opened
            .accounts
            .iter()
            .map(|account| account.tenant_id.as_str())
            .collect(),
        source: &opened.source,
        opened,
        challenge,
    }
}

#[cfg(test)]
mod tests;
