//! People's tokens: JSON Web Tokens signed with `JWT_SECRET` (HS256).
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::random;

/// Who issued a token. Clients know this name (contract).
const ISSUER: &str = "vsay-auth";

/// How long a proven password may wait for the choice of an organization.
const SESSION_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Longest token worth parsing; ours have about 700 characters.
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

/// What a token says about its account. Only `user_id`, `ver` and `source` are believed later; the rest is for clients.
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
    /// The program it was issued to.
    pub source: &'a str,
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

#[derive(Serialize)]
struct Session<'a> {
    email: &'a str,
    tenant_ids: &'a [&'a str],
    source: &'a str,
}

#[derive(Deserialize)]
struct Presented {
    iss: String,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    ver: i64,
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

    /// A token that only proves a password, to choose among organizations.
    pub fn issue_session(&self, email: &str, tenant_ids: &[&str], source: &str) -> Result<Secret, ApiError> {
        self.sign(
            Session {
                email,
                tenant_ids,
                source,
            },
            SESSION_TOKEN_LIFETIME,
            Utc::now(),
        )
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
        if token.len() > MAX_TOKEN {
            return Err(TokenFault::Invalid);
        }
        let token = UntrustedToken::new(token).map_err(|_| TokenFault::Invalid)?;
        let token = Hs256
            .validator::<Presented>(&self.key)
            .validate(&token)
            .map_err(|_| TokenFault::Invalid)?;
        let claims = token.claims();
        let clock = TimeOptions::new(TimeDelta::zero(), || now);
        if claims.custom.iss != ISSUER || claims.validate_expiration(&clock).is_err() {
            return Err(TokenFault::Invalid);
        }
        Ok(Proof {
            user_id: claims.custom.user_id.parse().map_err(|_| TokenFault::NoUser)?,
            version: claims.custom.ver,
            source: claims.custom.source.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};

    fn key() -> TokenKey {
        TokenKey::new(&"k".repeat(32), TimeDelta::hours(24))
    }

    fn issue(key: &TokenKey) -> String {
        let user_id = "0123456789abcdef01234567".parse().unwrap();
        let subject = Subject {
            user_id: &user_id,
            uid: 7,
            username: "john",
            email: "john@example.org",
            tenant_id: "acme",
            tenant_name: "Acme",
            role: "user",
            machine_role: "",
            source: "cli",
            ver: 3,
        };
        key.issue(&subject).unwrap().expose().to_owned()
    }

    #[test]
    fn a_token_proves_what_it_was_issued_for() {
        let proof = key().verify(&issue(&key())).unwrap();
        assert_eq!(
            (proof.user_id.as_str(), proof.version, &*proof.source),
            ("0123456789abcdef01234567", 3, "cli")
        );
    }

    #[test]
    fn a_token_carries_the_claims_of_both_apis() {
        let token = issue(&key());
        let payload = token.split('.').nth(1).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap();
        assert_eq!(claims["iss"], "vsay-auth");
        assert_eq!(claims["sub"], claims["user_id"]);
        assert_eq!(claims["uid"], 7);
        assert_eq!(claims["tenant_id"], "acme");
        assert_eq!(claims["keycloak_id"], "");
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            86_400
        );
        assert_eq!(claims["nbf"], claims["iat"]);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 24);
        assert!(claims.get("machine_role").is_none());
    }

    #[test]
    fn a_token_expires_to_the_second() {
        let token = issue(&key());
        let in_hours = |hours| Utc::now() + TimeDelta::hours(hours);
        assert!(key().verify_at(&token, in_hours(23)).is_ok());
        assert_eq!(key().verify_at(&token, in_hours(25)), Err(TokenFault::Invalid));
    }

    #[test]
    fn a_token_of_another_key_or_changed_or_of_no_form_is_refused() {
        let token = issue(&key());
        let other = TokenKey::new(&"x".repeat(32), TimeDelta::hours(24));
        assert_eq!(other.verify(&token), Err(TokenFault::Invalid));
        let (body, signature) = token.rsplit_once('.').unwrap();
        let unsigned = Base64UrlUnpadded::encode_string(br#"{"alg":"none"}"#);
        for bad in [
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            body.to_owned(),
            format!("{body}."),
            format!("{body}.AAAA"),
            format!("{body}.{}", signature.to_uppercase()),
            format!("{unsigned}.{}.", body.split('.').nth(1).unwrap()),
            "x".repeat(MAX_TOKEN + 1),
        ] {
            assert_eq!(key().verify(&bad), Err(TokenFault::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_session_token_is_no_bearer_token() {
        let token = key().issue_session("john@example.org", &["acme"], "ui").unwrap();
        assert_eq!(key().verify(token.expose()), Err(TokenFault::NoUser));
    }
}
