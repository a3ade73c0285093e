//! How an attempt ends: where the browser is sent, and what it takes along.
//!
//! What signs in goes behind the `#`, which browsers send to no server and put into no `Referer`; what went wrong, which is no
//! secret, behind the `?`.
use base64ct::{Base64Url, Encoding};
use form_urlencoded::Serializer;
use protocol::api::auth::{Challenge, LoginAnswer, SignedIn, TenantChoice};
use serde::Serialize;

use crate::platform::error::ApiError;
use crate::platform::log;

/// The console's page that takes the result.
const PAGE: &str = "/oauth/callback";

/// Longest text of a provider's that is passed on, in characters.
const MAX_TOLD: usize = 200;

/// Why nobody is signed in. The words are those of the contract, for the provider of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No account has the address.
    #[error("No account found for this email. Please sign up first.")]
    NoAccount,
    /// Only accounts that are disabled have it.
    #[error("Your account is disabled. Please contact your administrator.")]
    Disabled,
    /// The browser did not start here, not lately, or for another provider.
    #[error("Invalid state. Please try again.")]
    State,
    /// This server does not know the provider.
    #[error("{0} login is not configured.")]
    NotConfigured(String),
    /// The provider does not take the code.
    #[error("Failed to exchange authorization code.")]
    Exchange,
    /// The provider knows no address.
    #[error("Could not retrieve email from {0} account.")]
    NoEmail(String),
    /// GitHub knows no proven address.
    #[error("Could not retrieve email from GitHub. Please make your email public or grant email access.")]
    NoGithubEmail,
    /// The provider does not say that the address is proven.
    #[error("Your email is not verified by {0}. Please verify it there and try again.")]
    Unverified(String),
    /// Too many attempts.
    #[error("Too many attempts, try again in a minute")]
    TooMany,
    /// The provider, or the person there, refused.
    #[error("{provider} error: {error} — {description}")]
    Provider {
        provider: String,
        /// Its code.
        error: String,
        /// Its words.
        description: String,
    },
    /// Anything else, which the log tells more of.
    #[error("Authentication failed. Please try again.")]
    Failed,
}

impl Failure {
    /// Something went wrong that a person cannot help; the log is told.
    pub fn failed(cause: &str) -> Self {
        log::error(&format!("a sign-in by another provider failed: {cause}"));
        Self::Failed
    }

    /// What a provider said when it refused. Anybody can write that into an address, so it is kept short and on one line.
    pub fn told(provider: &str, error: &str, description: &str) -> Self {
        let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect();
        Self::Provider {
            provider: provider.to_owned(),
            error: short(error),
            description: short(description),
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error.status().as_u16() {
            429 => Self::TooMany,
            _ => Self::failed(error.cause()),
        }
    }
}

/// Where a browser goes that is not signed in.
pub fn failure_page(frontend: &str, failure: &Failure) -> String {
    let query = Serializer::new(String::new())
        .append_pair("error", &failure.to_string())
        .finish();
    format!("{frontend}{PAGE}?{query}")
}

/// Where a browser goes that proved an account, or several.
pub fn success_page(frontend: &str, answer: &LoginAnswer) -> Result<String, ApiError> {
    let mut fragment = Serializer::new(String::new());
    match answer {
        LoginAnswer::SignedIn(signed_in) => {
            let SignedIn {
                token,
                session_token,
                available_tenants,
                ..
            } = signed_in.as_ref();
            fragment
                .append_pair("token", token.expose())
                .append_pair("session_token", session_token.expose())
                .append_pair("user", &user(signed_in)?)
                .append_pair("tenants", &encode(available_tenants)?);
        }
        LoginAnswer::Choice(TenantChoice {
            tenants, session_token, ..
        }) => {
            fragment
                .append_pair("session_token", session_token.expose())
                .append_pair("tenants", &encode(tenants)?)
                .append_pair("requires_selection", "true");
        }
        LoginAnswer::Challenge(Challenge {
            mfa_token,
            username,
            tenants,
            session_token,
            ..
        }) => {
            fragment
                .append_pair("mfa_required", "true")
                .append_pair("mfa_token", mfa_token.expose())
                .append_pair("username", username)
                .append_pair("session_token", session_token.expose())
                .append_pair("tenants", &encode(tenants)?);
        }
    }
    Ok(format!("{frontend}{PAGE}#{}", fragment.finish()))
}

/// The account without its key: addresses are kept in histories.
fn user(signed_in: &SignedIn) -> Result<String, ApiError> {
    let mut user = serde_json::to_value(&signed_in.user).map_err(ApiError::internal)?;
    if let Some(fields) = user.as_object_mut() {
        fields.remove("api_key");
    }
    encode(&user)
}

fn encode(value: &impl Serialize) -> Result<String, ApiError> {
    let text = serde_json::to_string(value).map_err(ApiError::internal)?;
    Ok(Base64Url::encode_string(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use protocol::api::auth::Tenant;

    use super::*;

    fn tenant() -> Tenant {
        Tenant {
            tenant_id: "acme".to_owned(),
            tenant_name: "Acme".to_owned(),
            username: "ann".to_owned(),
            user_id: "0".repeat(24).parse().unwrap(),
        }
    }

    #[test]
    fn a_failure_is_told_in_the_query_and_cannot_break_out_of_it() {
        let failure = Failure::told(
            "GitHub",
            "access_denied&token=x#y",
            &format!("no\r\n{}", "x".repeat(500)),
        );
        let page = failure_page("https://edge.example.com", &failure);
        let (address, query) = page.split_once('?').unwrap();
        assert_eq!(address, "https://edge.example.com/oauth/callback");
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        assert_eq!(pairs.len(), 1);
        assert!(pairs[0].1.starts_with("GitHub error: access_denied&token=x#y — noxxx"));
        assert!(!page.contains('#') && page.len() < 800);
    }

    #[test]
    fn a_choice_goes_behind_the_hash_with_padded_base64() {
        let answer = LoginAnswer::Choice(TenantChoice {
            requires_tenant_selection: true,
            tenants: vec![tenant()],
            session_token: "a.b.c".to_owned().into(),
        });
        let page = success_page("https://edge.example.com", &answer).unwrap();
        let (address, fragment) = page.split_once('#').unwrap();
        assert_eq!(address, "https://edge.example.com/oauth/callback");
        let pairs: Vec<_> = form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
        let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["session_token", "tenants", "requires_selection"]);
        let tenants = Base64Url::decode_vec(&pairs[1].1).unwrap();
        assert_eq!(serde_json::from_slice::<Vec<Tenant>>(&tenants).unwrap(), [tenant()]);
    }
}
