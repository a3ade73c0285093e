//! The identity of an agent: an Ed25519 key pair whose private half never leaves the machine.
use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Ed25519, VerifyingKey};
use jwt_compact::{Algorithm, AlgorithmExt, UntrustedToken};
use protocol::api::agents::{CLOCK_SKEW_SECONDS, CONNECT_AUDIENCE, CONNECT_TOKEN_SECONDS, ConnectClaims};
use protocol::ids::AgentId;

type PublicKey = <Ed25519 as Algorithm>::VerifyingKey;

/// Longest connection token worth parsing; the agent's have about 250 characters.
const MAX_TOKEN: usize = 2048;

/// Whether a text is a public key that can verify anything: 32 bytes in base64url that are a point of the curve.
pub fn is_public_key(text: &str) -> bool {
    public_key(text).is_some()
}

fn public_key(text: &str) -> Option<PublicKey> {
    <PublicKey as VerifyingKey<Ed25519>>::from_slice(&Base64UrlUnpadded::decode_vec(text).ok()?).ok()
}

/// A connection token that says whose it is and has not been verified.
#[derive(Debug)]
pub struct ClaimedToken<'a> {
    token: UntrustedToken<'a>,
    agent_id: AgentId,
}

impl<'a> ClaimedToken<'a> {
    /// Reads a token, if it is one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let token = UntrustedToken::new(Some(text).filter(|text| text.len() <= MAX_TOKEN)?).ok()?;
        let agent_id = token.deserialize_claims_unchecked::<ConnectClaims>().ok()?.custom.iss;
        Some(Self { token, agent_id })
    }

    /// Whose it claims to be.
    pub fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// Whether it was signed with the private half of `public_key`, for us, just now, and for a short time.
    pub fn verify(&self, public_key: &str, now: DateTime<Utc>) -> bool {
        self.life(public_key)
            .is_some_and(|(start, end)| around(start, end, now))
    }

    /// Whether nothing is wrong with it but its time: the machine's clock is not ours, or somebody kept an old one.
    pub fn is_out_of_time(&self, public_key: &str, now: DateTime<Utc>) -> bool {
        self.life(public_key)
            .is_some_and(|(start, end)| !around(start, end, now))
    }

    /// From when to when it is good, if it was signed with the private half of `public_key`, for us, and for a short time.
    fn life(&self, public_key: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let key = self::public_key(public_key)?;
        let token = Ed25519.validator::<ConnectClaims>(&key).validate(&self.token).ok()?;
        let claims = token.claims();
        let (start, end) = claims.issued_at.zip(claims.expiration)?;
        let short = end - start <= TimeDelta::seconds(CONNECT_TOKEN_SECONDS);
        (short && claims.custom.aud == CONNECT_AUDIENCE).then_some((start, end))
    }
}

/// Whether it is now between two times, by a clock that may differ from ours.
fn around(start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let skew = TimeDelta::seconds(CLOCK_SKEW_SECONDS);
    start - now <= skew && now - end < skew
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwt_compact::alg::SigningKey;
    use jwt_compact::{Claims, Header, TimeOptions};

    type PrivateKey = <Ed25519 as Algorithm>::SigningKey;

    fn private_key(byte: u8) -> PrivateKey {
        PrivateKey::from_bytes(&[byte; 32])
    }

    fn public_text(key: &PrivateKey) -> String {
        Base64UrlUnpadded::encode_string(SigningKey::<Ed25519>::to_verifying_key(key).as_bytes())
    }

    fn token(key: &PrivateKey, audience: &str, start: DateTime<Utc>, seconds: i64) -> String {
        let clock = TimeOptions::new(TimeDelta::zero(), || start);
        let claims = Claims::new(ConnectClaims {
            iss: "0123456789ab".parse().unwrap(),
            aud: audience.into(),
        })
        .set_duration_and_issuance(&clock, TimeDelta::seconds(seconds));
        Ed25519.token(&Header::empty(), &claims, key).unwrap()
    }

    fn accepted(token: &str, key: &PrivateKey, now: DateTime<Utc>) -> bool {
        ClaimedToken::parse(token).is_some_and(|claimed| claimed.verify(&public_text(key), now))
    }

    #[test]
    fn a_fresh_token_of_the_machines_own_key_is_accepted_within_the_clock_skew() {
        let (key, now) = (private_key(1), Utc::now());
        for (start, seconds, good) in [
            (0, 120, true),
            (-60, 60, true),
            (-170, 120, true),
            (-190, 120, false),
            (50, 120, true),
            (70, 120, false),
            (0, 121, false),
        ] {
            let token = token(&key, CONNECT_AUDIENCE, now + TimeDelta::seconds(start), seconds);
            assert_eq!(accepted(&token, &key, now), good, "{start} {seconds}");
        }
        assert_eq!(
            ClaimedToken::parse(&token(&key, "x", now, 60))
                .unwrap()
                .agent_id()
                .as_str(),
            "0123456789ab"
        );
    }

    #[test]
    fn only_a_token_of_ones_own_is_told_that_the_clock_is_wrong() {
        let (key, now) = (private_key(1), Utc::now());
        let out_of_time = |token: &str| {
            ClaimedToken::parse(token)
                .unwrap()
                .is_out_of_time(&public_text(&key), now)
        };
        for minutes in [-525_600 * 40, -1440, -5, 5, 1440, 525_600 * 40] {
            let signed = |key: &_, audience, seconds| token(key, audience, now + TimeDelta::minutes(minutes), seconds);
            assert!(out_of_time(&signed(&key, CONNECT_AUDIENCE, 120)), "{minutes}");
            assert!(!out_of_time(&signed(&key, CONNECT_AUDIENCE, 121)), "{minutes}");
            assert!(!out_of_time(&signed(&key, "vsay-auth", 120)), "{minutes}");
            assert!(
                !out_of_time(&signed(&private_key(2), CONNECT_AUDIENCE, 120)),
                "{minutes}"
            );
        }
        assert!(!out_of_time(&token(&key, CONNECT_AUDIENCE, now, 60)), "in time");
    }

    #[test]
    fn a_token_of_another_key_or_audience_or_without_times_is_refused() {
        let (key, now) = (private_key(1), Utc::now());
        assert!(!accepted(&token(&private_key(2), CONNECT_AUDIENCE, now, 60), &key, now));
        assert!(!accepted(&token(&key, "vsay-auth", now, 60), &key, now));
        let claims = Claims::new(ConnectClaims {
            iss: "0123456789ab".parse().unwrap(),
            aud: CONNECT_AUDIENCE.into(),
        });
        assert!(!accepted(
            &Ed25519.token(&Header::empty(), &claims, &key).unwrap(),
            &key,
            now
        ));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (key, now) = (private_key(1), Utc::now());
        let good = token(&key, CONNECT_AUDIENCE, now, 60);
        let (body, _) = good.rsplit_once('.').unwrap();
        for bad in [
            String::new(),
            "a.b.c".into(),
            format!("{body}."),
            format!("{body}.AAAA"),
            "x".repeat(MAX_TOKEN + 1),
        ] {
            assert!(!accepted(&bad, &key, now), "{bad}");
        }
        assert!(!ClaimedToken::parse(&good).unwrap().verify("AAAA", now));
    }

    #[test]
    fn a_public_key_must_be_a_point_of_the_curve() {
        assert!(is_public_key(&public_text(&private_key(1))));
        let no_point = (0..=255u8)
            .map(|byte| Base64UrlUnpadded::encode_string(&[byte; 32]))
            .find(|text| !is_public_key(text));
        assert!(no_point.is_some());
        assert!(!is_public_key("AAAA"));
    }
}
