//! Whose code it is: trading it at the provider for a mail address that the provider has proven.
use base64ct::{Base64, Encoding};
use chrono::Utc;
use form_urlencoded::{Serializer, byte_serialize};
use protocol::api::validate::is_email;
use serde::Deserialize;

use super::attempt::Attempt;
use super::claims::{Claims, Expected, Issuer, MailClaims, Unverified, is_true};
use super::discovery::{Endpoints, Source};
use super::jwks::KeySet;
use super::outcome::Failure;
use super::{http, webcrypto};
use crate::platform::log;
use crate::platform::settings::oidc::Provider;

/// How old an issuer's keys may be, in milliseconds: ten minutes.
const KEYS_MAX_AGE: i64 = 10 * 60 * 1000;

/// How old they may be if a token names a key that is not among them: issuers announce new keys before they use them, so asking
/// more often than every half minute would only help somebody who makes names up.
const KEYS_MIN_AGE: i64 = 30 * 1000;

/// Somebody who proved a mail address to a provider.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address, in lower case.
    pub email: String,
    /// Whether the provider asked for a second factor.
    pub second_factor: bool,
}

/// What a token endpoint answers. GitHub's refusals are answers, too.
#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
}

/// What an issuer tells about the bearer of its token.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    mail: MailClaims,
}

/// An address of a GitHub account.
#[derive(Debug, Deserialize)]
struct GithubEmail {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

/// Trades a code of this attempt.
pub async fn find(
    provider: &Provider,
    endpoints: &Endpoints,
    redirect_uri: &str,
    code: &str,
    attempt: &Attempt,
) -> Result<Identity, Failure> {
    let tokens = exchange(provider, endpoints, redirect_uri, code, attempt).await?;
    match &endpoints.source {
        Source::Github(api) => {
            let token = tokens.access_token.ok_or(Failure::Exchange)?;
            let url = format!("{api}/user/emails?per_page=100");
            let emails: Vec<GithubEmail> = http::get(&url, &format!("Bearer {token}"))
                .await
                .map_err(|error| Failure::failed(&error))?;
            Ok(Identity {
                email: github_email(&emails).ok_or(Failure::NoGithubEmail)?,
                second_factor: false,
            })
        }
        Source::IdToken { issuer, jwks, userinfo } => {
            let id_token = tokens.id_token.as_deref().ok_or(Failure::Exchange)?;
            let claims = verify(id_token, issuer, jwks, provider, attempt).await?;
            let (mut email, mut proven) = claims.mail(issuer);
            if let (None, Some(url), Some(token)) = (&email, userinfo, &tokens.access_token) {
                (email, proven) = ask_userinfo(url, token, &claims).await?;
            }
            Ok(Identity {
                email: accept(email, proven, &provider.label)?,
                second_factor: claims.vouches_for_second_factor(),
            })
        }
    }
}

async fn exchange(
    provider: &Provider,
    endpoints: &Endpoints,
    redirect_uri: &str,
    code: &str,
    attempt: &Attempt,
) -> Result<Tokens, Failure> {
    let (id, secret) = (&provider.client_id, provider.client_secret.expose());
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_verifier", &attempt.verifier());
    let authorization = if endpoints.basic {
        Some(basic(id, secret))
    } else {
        form.append_pair("client_id", id).append_pair("client_secret", secret);
        None
    };
    http::post(&endpoints.token, authorization.as_deref(), form.finish())
        .await
        .map_err(|error| {
            log::error(&format!("a code was not traded: {error}"));
            Failure::Exchange
        })
}

/// A client's name and secret as RFC 6749 wants them: each encoded as in a form first.
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", Base64::encode_string(pair.as_bytes()))
}

/// What an ID token claims, once its signature and its claims are checked.
async fn verify(
    token: &str,
    issuer: &Issuer,
    jwks: &str,
    provider: &Provider,
    attempt: &Attempt,
) -> Result<Claims, Failure> {
    let failed = |why: &str| Failure::failed(&format!("an ID token of {} {why}", provider.label));
    let token = Unverified::parse(token).ok_or_else(|| failed("has no form that is accepted"))?;
    let mut key = None;
    for max_age in [KEYS_MAX_AGE, KEYS_MIN_AGE] {
        let keys: KeySet = http::get_cached(jwks, max_age)
            .await
            .map_err(|error| Failure::failed(&error))?;
        key = keys.choose(&token.header);
        if key.is_some() {
            break;
        }
    }
    let key = key.ok_or_else(|| failed("is signed with no key of its issuer"))?;
    if !webcrypto::verify(&key, &token)
        .await
        .map_err(|error| Failure::failed(&error))?
    {
        return Err(failed("has a wrong signature"));
    }
    let claims = token.claims().ok_or_else(|| failed("lacks claims"))?;
    let expected = Expected {
        issuer,
        audience: &provider.client_id,
        nonce: &attempt.nonce(),
        now: Utc::now().timestamp(),
    };
    claims
        .check(&expected)
        .map_err(|rule| failed(&format!("has a wrong {rule}")))?;
    Ok(claims)
}

async fn ask_userinfo(url: &str, token: &str, claims: &Claims) -> Result<(Option<String>, bool), Failure> {
    let info: UserInfo = http::get(url, &format!("Bearer {token}"))
        .await
        .map_err(|error| Failure::failed(&error))?;
    // OpenID Connect Core 5.3.2: it may be about somebody else.
    if info.sub != claims.sub {
        return Err(Failure::failed(
            "the user info is about another account than the ID token",
        ));
    }
    Ok((info.mail.email, is_true(&info.mail.email_verified)))
}

fn accept(email: Option<String>, proven: bool, label: &str) -> Result<String, Failure> {
    let email = email
        .map(|text| text.trim().to_lowercase())
        .filter(|text| is_email(text));
    let email = email.ok_or_else(|| Failure::NoEmail(label.to_owned()))?;
    if proven {
        Ok(email)
    } else {
        Err(Failure::Unverified(label.to_owned()))
    }
}

/// The primary address, else the first; of those that GitHub has proven.
fn github_email(emails: &[GithubEmail]) -> Option<String> {
    let proven = || emails.iter().filter(|email| email.verified);
    let email = proven().find(|email| email.primary).or_else(|| proven().next())?;
    accept(Some(email.email.clone()), true, "GitHub").ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_github_account_only_proven_addresses_count_and_the_primary_one_first() {
        let of = |emails| github_email(&serde_json::from_value::<Vec<GithubEmail>>(emails).unwrap());
        let (one, two) = (
            json!({"email": "one@example.org", "verified": true}),
            json!({"email": " Two@example.org", "verified": true, "primary": true}),
        );
        let unproven = json!({"email": "x@example.org", "primary": true, "verified": false});
        assert_eq!(of(json!([one, two])).as_deref(), Some("two@example.org"));
        assert_eq!(of(json!([unproven, one])).as_deref(), Some("one@example.org"));
        assert_eq!(of(json!([unproven])), None);
        assert_eq!(of(json!([])), None);
    }

    #[test]
    fn an_address_must_be_one_and_proven() {
        let label = || "Acme".to_owned();
        assert_eq!(
            accept(Some(" Ann@Example.org ".to_owned()), true, "Acme").as_deref(),
            Ok("ann@example.org")
        );
        assert_eq!(
            accept(Some("ann@example.org".to_owned()), false, "Acme"),
            Err(Failure::Unverified(label()))
        );
        for none in [None, Some(String::new()), Some("ann".to_owned())] {
            assert_eq!(accept(none, true, "Acme"), Err(Failure::NoEmail(label())));
        }
    }

    #[test]
    fn a_clients_secret_is_encoded_before_it_becomes_a_header() {
        let header = basic("edge", "a:b c%");
        let text = Base64::decode_vec(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(text, b"edge:a%3Ab+c%25");
    }
}
