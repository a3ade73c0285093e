//! ID tokens: their form, and the rules their claims must keep. The signature is `jwks.rs` and `webcrypto.rs`.
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde_json::Value;

/// Longest ID token worth parsing. Microsoft's, with many groups, have some 10,000 characters.
const MAX_TOKEN: usize = 32 * 1024;

/// How far the clocks of two servers may be apart, in seconds.
const LEEWAY: i64 = 60;

/// The tenant of Microsoft's personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A signature's way to be made. There are no others here: `none` and shared secrets least of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

/// What a token says of its signature.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// How it was made.
    pub alg: Algorithm,
    /// With which key.
    #[serde(default)]
    pub kid: Option<String>,
}

/// A token in its parts. Nothing of it is proven.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// What it says of its signature.
    pub header: Header,
    pub signed: &'a str,
    pub signature: Vec<u8>,
    claims: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    pub fn parse(token: &'a str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: protocol::json::from_slice(&Base64UrlUnpadded::decode_vec(header).ok()?).ok()?,
            signed,
            signature: Base64UrlUnpadded::decode_vec(signature).ok()?,
            claims: Base64UrlUnpadded::decode_vec(claims).ok()?,
        })
    }

    /// What it claims. To be called once the signature is verified.
    pub fn claims(&self) -> Option<Claims> {
        protocol::json::from_slice(&self.claims).ok()
    }
}

/// Who must have issued a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// This one.
    Exactly(String),
    /// Microsoft, for accounts of the tenants that are let in.
    Microsoft {
        /// What the issuer begins with.
        authority: String,
        /// `common`, `organizations`, `consumers`, or one tenant's id.
        tenant: String,
    },
}

impl Issuer {
    fn issued(&self, claims: &Claims) -> bool {
        match self {
            Self::Exactly(issuer) => claims.iss == *issuer,
            Self::Microsoft { authority, tenant } => {
                let lets_in = match tenant.as_str() {
                    "common" => !claims.tid.is_empty(),
                    "organizations" => !claims.tid.is_empty() && claims.tid != PERSONAL,
                    "consumers" => claims.tid == PERSONAL,
                    tenant => claims.tid.eq_ignore_ascii_case(tenant),
                };
                lets_in && claims.iss == format!("{authority}/{}/v2.0", claims.tid)
            }
        }
    }
}

/// What a token must say.
#[derive(Debug)]
pub struct Expected<'a> {
    pub issuer: &'a Issuer,
    /// For whom: our client id.
    pub audience: &'a str,
    /// In which attempt.
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// What a token says.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    nonce: String,
    /// Whom it is about, in the issuer's words.
    pub sub: String,
    /// About the mail address.
    #[serde(flatten)]
    pub mail: MailClaims,
    #[serde(default)]
    preferred_username: Option<String>,
    /// Microsoft: the tenant of the account.
    #[serde(default)]
    tid: String,
    /// Microsoft: whether the address is of a domain that the tenant has proven to own.
    #[serde(default)]
    xms_edov: Value,
    #[serde(default)]
    amr: Value,
}

/// What a token or its issuer says of a mail address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct MailClaims {
    #[serde(default)]
    pub email: Option<String>,
    /// Whether it is proven; some issuers write it as text.
    #[serde(default)]
    pub email_verified: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Whether they keep the rules of OpenID Connect Core 3.1.3.7; the error names the one that is broken.
    pub fn check(&self, expected: &Expected) -> Result<(), &'static str> {
        let audience = match &self.aud {
            Audience::One(one) => one == expected.audience,
            Audience::Many(many) => many.iter().any(|one| one == expected.audience),
        };
        let others = matches!(&self.aud, Audience::Many(many) if many.len() > 1);
        let party = match &self.azp {
            Some(party) => party == expected.audience,
            None => !others,
        };
        let now = expected.now;
        let past = |time: Option<f64>| time.is_none_or(|time| time <= (now + LEEWAY) as f64);
        for (kept, rule) in [
            (expected.issuer.issued(self), "iss"),
            (audience, "aud"),
            (party, "azp"),
            (self.exp > (now - LEEWAY) as f64, "exp"),
            (past(self.nbf), "nbf"),
            (past(self.iat), "iat"),
            (!expected.nonce.is_empty() && self.nonce == expected.nonce, "nonce"),
            (!self.sub.is_empty(), "sub"),
        ] {
            if !kept {
                return Err(rule);
            }
        }
        Ok(())
    }

    /// The mail address and whether it is proven, as the issuer's kind says it.
    ///
    /// Anybody can write any address into an account of a Microsoft tenant of their own, so among many tenants, an address counts
    /// only with the claim that the tenant owns its domain. Of personal accounts, and of the one tenant that alone is let in,
    /// addresses are taken on trust.
    pub fn mail(&self, issuer: &Issuer) -> (Option<String>, bool) {
        match issuer {
            Issuer::Exactly(_) => (self.mail.email.clone(), is_true(&self.mail.email_verified)),
            Issuer::Microsoft { tenant, .. } => {
                let trusted = self.tid == PERSONAL || self.tid.eq_ignore_ascii_case(tenant);
                let denied = matches!(self.mail.email_verified, Value::Bool(false));
                let proven = trusted && !denied || is_true(&self.xms_edov) || is_true(&self.mail.email_verified);
                let address = self.mail.email.clone().filter(|text| !text.is_empty());
                (address.or_else(|| self.preferred_username.clone()), proven)
            }
        }
    }

    /// Whether the provider asked for more than one proof (RFC 8176).
    pub fn vouches_for_second_factor(&self) -> bool {
        self.amr
            .as_array()
            .is_some_and(|ways| ways.iter().any(|way| way == "mfa"))
    }
}

/// Truth as issuers write it.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => text.eq_ignore_ascii_case("true") || text == "1",
        _ => false,
    }
}

#[cfg(test)]
mod tests;
