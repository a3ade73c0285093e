//! Where a provider's doors are: known of some, and said by an issuer of OpenID Connect itself.
use serde::Deserialize;

use super::claims::Issuer;
use super::http;
use crate::platform::settings::mail::keeps_secrets;
use crate::platform::settings::oidc::{Dialect, Provider};

/// How old a discovery document may be, in milliseconds: an hour. Issuers announce changes days before.
const MAX_AGE: i64 = 60 * 60 * 1000;

/// A provider's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where browsers are sent.
    pub authorization: String,
    /// What they are sent with, beside what all are.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Where codes are traded.
    pub token: String,
    /// Whether the client's secret goes into a header there, not into the form.
    pub basic: bool,
    /// Who says whose mail address it is.
    pub source: Source,
}

/// Who says whose mail address it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A signed ID token.
    IdToken {
        /// Who must have issued it.
        issuer: Issuer,
        /// Where the keys are.
        jwks: String,
        /// Who knows what the token does not say, if anybody.
        userinfo: Option<String>,
    },
    /// GitHub's API, at this address.
    Github(String),
}

/// What an issuer says of itself, as far as we need it.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// The addresses of a provider.
pub async fn endpoints(provider: &Provider) -> Result<Endpoints, String> {
    match &provider.dialect {
        Dialect::Microsoft { authority, tenant } => Ok(microsoft(authority, tenant)),
        Dialect::Github { base, api } => Ok(github(base, api)),
        Dialect::Discovered { issuer } => {
            let url = format!("{issuer}/.well-known/openid-configuration");
            discovered(issuer, http::get_cached(&url, MAX_AGE).await?)
        }
    }
}

fn microsoft(authority: &str, tenant: &str) -> Endpoints {
    Endpoints {
        authorization: format!("{authority}/{tenant}/oauth2/v2.0/authorize"),
        parameters: &[
            ("scope", "openid profile email"),
            ("response_mode", "query"),
            ("prompt", "select_account"),
        ],
        token: format!("{authority}/{tenant}/oauth2/v2.0/token"),
        basic: false,
        source: Source::IdToken {
            issuer: Issuer::Microsoft {
                authority: authority.to_owned(),
                tenant: tenant.to_owned(),
            },
            jwks: format!("{authority}/{tenant}/discovery/v2.0/keys"),
            userinfo: None,
        },
    }
}

fn github(base: &str, api: &str) -> Endpoints {
    Endpoints {
        authorization: format!("{base}/login/oauth/authorize"),
        parameters: &[("scope", "user:email read:user")],
        token: format!("{base}/login/oauth/access_token"),
        basic: false,
        source: Source::Github(api.to_owned()),
    }
}

fn discovered(issuer: &str, document: Document) -> Result<Endpoints, String> {
    if document.issuer.trim_end_matches('/') != issuer {
        return Err(format!("{issuer} says that it is {}", document.issuer));
    }
    let doors = [
        Some(&document.authorization_endpoint),
        Some(&document.token_endpoint),
        Some(&document.jwks_uri),
        document.userinfo_endpoint.as_ref(),
    ];
    if let Some(open) = doors.into_iter().flatten().find(|url| !keeps_secrets(url)) {
        return Err(format!("{issuer} has an address without encryption: {open}"));
    }
    // OpenID Connect Core 9: the header, unless an issuer knows the form only.
    let methods = document.token_endpoint_auth_methods_supported;
    let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    Ok(Endpoints {
        authorization: document.authorization_endpoint,
        parameters: &[("scope", "openid profile email")],
        token: document.token_endpoint,
        basic,
        source: Source::IdToken {
            issuer: Issuer::Exactly(document.issuer),
            jwks: document.jwks_uri,
            userinfo: document.userinfo_endpoint,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(change: impl FnOnce(&mut Value)) -> Document {
        let mut document = json!({"issuer": "https://id.example.org/", "authorization_endpoint": "https://id.example.org/a",
            "token_endpoint": "https://id.example.org/t", "jwks_uri": "https://id.example.org/k"});
        change(&mut document);
        serde_json::from_value(document).unwrap()
    }

    const ISSUER: &str = "https://id.example.org";

    #[test]
    fn an_issuer_is_what_it_says_it_is_with_or_without_a_final_slash() {
        let found = discovered(ISSUER, document(|_| {})).unwrap();
        assert!(found.basic);
        let Source::IdToken { issuer, .. } = found.source else {
            panic!("not GitHub")
        };
        assert_eq!(issuer, Issuer::Exactly("https://id.example.org/".to_owned()));
        let other = document(|document| document["issuer"] = json!("https://evil.example.org"));
        assert!(discovered(ISSUER, other).is_err());
    }

    #[test]
    fn an_address_without_encryption_is_not_used() {
        for field in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
        ] {
            let open = document(|document| document[field] = json!("http://id.example.org/x"));
            assert!(discovered(ISSUER, open).is_err(), "{field}");
        }
    }

    #[test]
    fn the_secret_goes_into_the_form_only_where_no_header_is_known() {
        for (methods, basic) in [
            (json!(["client_secret_post"]), false),
            (json!(["client_secret_post", "client_secret_basic"]), true),
        ] {
            let document = document(|document| document["token_endpoint_auth_methods_supported"] = methods);
            assert_eq!(discovered(ISSUER, document).unwrap().basic, basic);
        }
    }
}
