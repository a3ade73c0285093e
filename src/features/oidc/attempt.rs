//! One attempt to sign in: what ties the browser that comes back to the one that started. The browser keeps one random secret
//! in a cookie, and everything else is derived from it, so the server remembers nothing.
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use protocol::api::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::platform::error::ApiError;
use crate::platform::random;
use crate::platform::settings::oidc::Kind;

/// How long a person may take at the provider.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Who issued a state (contract). It tells states from all other tokens that the same secret signs.
const ISSUER: &str = "vsay-oidc-state";

/// Longest state worth parsing; ours have about 300 characters.
const MAX_STATE: usize = 1024;

/// Hex characters of an attempt's secret: 256 bits.
const SECRET: usize = 64;

/// The secret of an attempt.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt(String);

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Attempt {
    pub fn begin() -> Result<Self, ApiError> {
        Ok(Self(random::hex::<{ SECRET / 2 }>()?))
    }

    /// The attempt of a cookie's value, if it is one.
    pub fn resume(cookie: &str) -> Option<Self> {
        let is_secret = cookie.len() == SECRET && cookie.bytes().all(|b| b.is_ascii_hexdigit());
        is_secret.then(|| Self(cookie.to_owned()))
    }

    /// What the cookie carries.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What an ID token made for this attempt must say.
    pub fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// Proves to the provider that the code was asked for by whoever trades it (RFC 7636).
    pub fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// What the provider is told of [`Self::verifier`] beforehand: its SHA-256.
    pub fn challenge(&self) -> String {
        encode(&Sha256::digest(self.verifier()))
    }

    /// What a state says of it.
    fn binding(&self) -> String {
        self.derive("state")
    }

    /// None of them tells anything of another.
    fn derive(&self, purpose: &str) -> String {
        encode(&Sha256::digest(format!("{purpose}:{}", self.0)))
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Signs and checks states: what a provider hands back unread.
#[derive(Clone)]
pub struct StateKey(Hs256Key);

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Serialize, Deserialize)]
struct State {
    iss: String,
    provider: String,
    binding: String,
}

impl StateKey {
    /// A key from the secret that signs people's tokens.
    pub fn new(secret: &Secret) -> Self {
        Self(Hs256Key::new(secret.expose().as_bytes()))
    }

    /// The state of an attempt at a provider.
    pub fn issue(&self, kind: Kind, attempt: &Attempt, now: DateTime<Utc>) -> Result<String, ApiError> {
        let claims = Claims::new(State {
            iss: ISSUER.to_owned(),
            provider: kind.slug().to_owned(),
            binding: attempt.binding(),
        })
        .set_duration_and_issuance(&TimeOptions::new(TimeDelta::zero(), || now), LIFETIME);
        Hs256
            .token(&Header::empty(), &claims, &self.0)
            .map_err(ApiError::internal)
    }

    /// Whether a state is of this attempt at this provider, and not too old.
    pub fn accepts(&self, state: &str, kind: Kind, attempt: &Attempt, now: DateTime<Utc>) -> bool {
        if state.len() > MAX_STATE {
            return false;
        }
        let Ok(token) = UntrustedToken::new(state) else {
            return false;
        };
        let Ok(token) = Hs256.validator::<State>(&self.0).validate(&token) else {
            return false;
        };
        let claims = token.claims();
        let clock = TimeOptions::new(TimeDelta::zero(), || now);
        claims.validate_expiration(&clock).is_ok()
            && claims.custom.iss == ISSUER
            && claims.custom.provider == kind.slug()
            && claims.custom.binding == attempt.binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StateKey {
        StateKey::new(&"k".repeat(32).into())
    }

    #[test]
    fn a_state_is_good_for_its_attempt_and_provider_for_ten_minutes() {
        let (attempt, now) = (Attempt::begin().unwrap(), Utc::now());
        let state = key().issue(Kind::Github, &attempt, now).unwrap();
        let accepts =
            |kind, attempt: &Attempt, minutes| key().accepts(&state, kind, attempt, now + TimeDelta::minutes(minutes));
        assert!(accepts(Kind::Github, &attempt, 9));
        assert!(!accepts(Kind::Github, &attempt, 11), "too old");
        assert!(!accepts(Kind::Microsoft, &attempt, 0), "another provider's");
        assert!(
            !accepts(Kind::Github, &Attempt::begin().unwrap(), 0),
            "another browser's"
        );
        assert!(state.len() < MAX_STATE);
    }

    #[test]
    fn a_state_that_we_did_not_sign_is_refused() {
        let (attempt, now) = (Attempt::begin().unwrap(), Utc::now());
        let state = key().issue(Kind::Github, &attempt, now).unwrap();
        let other = StateKey::new(&"x".repeat(32).into())
            .issue(Kind::Github, &attempt, now)
            .unwrap();
        let token =
            Claims::new(serde_json::json!({"iss": "vsay-auth", "provider": "github", "binding": attempt.binding()}))
                .set_duration_and_issuance(&TimeOptions::new(TimeDelta::zero(), || now), LIFETIME);
        let token = Hs256.token(&Header::empty(), &token, &key().0).unwrap();
        for bad in ["", "a.b.c", &state[1..], &other, &token, &"x".repeat(MAX_STATE + 1)] {
            assert!(!key().accepts(bad, Kind::Github, &attempt, now), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_differs_and_the_cookie_brings_it_back() {
        let attempt = Attempt::begin().unwrap();
        let back = Attempt::resume(attempt.secret()).unwrap();
        assert_eq!(attempt, back);
        assert_eq!((attempt.nonce(), attempt.verifier()), (back.nonce(), back.verifier()));
        let all = [
            attempt.nonce(),
            attempt.verifier(),
            attempt.challenge(),
            attempt.binding(),
        ];
        for (index, one) in all.iter().enumerate() {
            // RFC 7636 wants a verifier of 43 to 128 characters.
            assert_eq!(one.len(), 43);
            assert!(!all[..index].contains(one));
        }
        for bad in ["", "xyz", &"g".repeat(SECRET), &"a".repeat(SECRET + 2)] {
            assert!(Attempt::resume(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            encode(&Sha256::digest(verifier)),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
