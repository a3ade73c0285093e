//! The settings of other providers. `wrangler.toml` documents each.
use protocol::api::secret::Secret;

use super::mail::keeps_secrets;

/// Where Microsoft is when `MICROSOFT_AUTHORITY` says nothing else.
const MICROSOFT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Which Microsoft accounts are let in when `MICROSOFT_TENANT_ID` says nothing else: any.
const MICROSOFT_TENANT: &str = "common";

/// Where GitHub is, and where its API is, when nothing else is said.
const GITHUB: (&str, &str) = ("https://github.com", "https://api.github.com");

/// What the third provider is called when `OIDC_NAME` says nothing else.
const SSO_NAME: &str = "Single sign-on";

/// Which of the providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Microsoft,
    /// GitHub, which has OAuth 2 only.
    Github,
    /// Any issuer of OpenID Connect.
    Sso,
}

impl Kind {
    /// Its name in paths, states and the audit log.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Microsoft => "microsoft",
            Self::Github => "github",
            Self::Sso => "sso",
        }
    }
}

/// How a provider is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// Microsoft's addresses and claims.
    Microsoft {
        /// What all its addresses begin with.
        authority: String,
        /// `common`, `organizations`, `consumers`, or one tenant's id.
        tenant: String,
    },
    Github {
        /// Where people are.
        base: String,
        /// Where programs are.
        api: String,
    },
    /// Whatever the issuer says of itself.
    Discovered { issuer: String },
}

/// A provider that people of this server may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name for people.
    pub label: String,
    /// What this server is to the provider.
    pub client_id: String,
    /// Proves it.
    pub client_secret: Secret,
    /// How to speak to it.
    pub dialect: Dialect,
}

/// The providers and what they share.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// What the addresses begin with that providers send browsers back to, without a final slash.
    pub redirect_base: String,
    /// What the console's addresses begin with, without a final slash.
    pub frontend: String,
    microsoft: Option<Provider>,
    github: Option<Provider>,
    sso: Option<Provider>,
}

impl OidcSettings {
    /// Reads the settings. A provider is there if its client id is; what else it needs is then asked for by name.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let provider = |prefix: &str, label: String, dialect: Dialect| -> Result<Option<Provider>, String> {
            let id = format!("{prefix}_CLIENT_ID");
            let secret = format!("{prefix}_CLIENT_SECRET");
            let Some(client_id) = get(&id) else {
                return Ok(None);
            };
            Ok(Some(Provider {
                label,
                client_id,
                client_secret: get(&secret)
                    .ok_or_else(|| format!("{id} is set, which needs {secret}"))?
                    .into(),
                dialect,
            }))
        };
        let tenant = get("MICROSOFT_TENANT_ID").unwrap_or_else(|| MICROSOFT_TENANT.to_owned());
        if !is_tenant(&tenant) {
            return Err(
                "MICROSOFT_TENANT_ID must be common, organizations, consumers, or the id of a tenant".to_owned(),
            );
        }
        let microsoft = Dialect::Microsoft {
            authority: address(&get, "MICROSOFT_AUTHORITY")?.unwrap_or_else(|| MICROSOFT_AUTHORITY.to_owned()),
            tenant,
        };
        let github = Dialect::Github {
            base: address(&get, "GITHUB_BASE_URL")?.unwrap_or_else(|| GITHUB.0.to_owned()),
            api: address(&get, "GITHUB_API_URL")?.unwrap_or_else(|| GITHUB.1.to_owned()),
        };
        let sso = match address(&get, "OIDC_ISSUER")? {
            Some(issuer) => {
                let name = get("OIDC_NAME").unwrap_or_else(|| SSO_NAME.to_owned());
                provider("OIDC", name, Dialect::Discovered { issuer })?
            }
            None => None,
        };
        let base = address(&get, "BASE_URL")?;
        let settings = Self {
            redirect_base: address(&get, "OIDC_REDIRECT_BASE_URL")?
                .or_else(|| base.clone())
                .unwrap_or_default(),
            frontend: address(&get, "FRONTEND_URL")?.or(base).unwrap_or_default(),
            microsoft: provider("MICROSOFT", "Microsoft".to_owned(), microsoft)?,
            github: provider("GITHUB", "GitHub".to_owned(), github)?,
            sso,
        };
        let any = [Kind::Microsoft, Kind::Github, Kind::Sso]
            .into_iter()
            .any(|kind| settings.provider(kind).is_some());
        if any && (settings.redirect_base.is_empty() || settings.frontend.is_empty()) {
            return Err("signing in with another provider needs BASE_URL".to_owned());
        }
        Ok(settings)
    }

    /// A provider, if it is set up.
    pub fn provider(&self, kind: Kind) -> Option<&Provider> {
        match kind {
            Kind::Microsoft => self.microsoft.as_ref(),
            Kind::Github => self.github.as_ref(),
            Kind::Sso => self.sso.as_ref(),
        }
    }

    /// The name of a provider for people, also of one that is not set up.
    pub fn label(&self, kind: Kind) -> &str {
        match (self.provider(kind), kind) {
            (Some(provider), _) => &provider.label,
            (None, Kind::Microsoft) => "Microsoft",
            (None, Kind::Github) => "GitHub",
            (None, Kind::Sso) => SSO_NAME,
        }
    }

    /// Where a provider sends browsers back to.
    pub fn redirect_uri(&self, kind: Kind) -> String {
        format!("{}/api/auth/oidc/{}/callback", self.redirect_base, kind.slug())
    }
}

/// Whether a text says which Microsoft accounts are let in. A domain does not: tokens name tenants by their ids.
fn is_tenant(text: &str) -> bool {
    ["common", "organizations", "consumers"].contains(&text) || uuid::Uuid::try_parse(text).is_ok()
}

/// An address that codes and secrets may be sent to, without a final slash.
fn address(get: impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<String>, String> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    // Whatever follows is appended.
    let plain = !text.contains(['?', '#', ' ', '\\']);
    // The public address may be plain HTTP in a private network; the console works there, too.
    let ours = ["BASE_URL", "OIDC_REDIRECT_BASE_URL", "FRONTEND_URL"].contains(&name) && text.starts_with("http://");
    if plain && (keeps_secrets(&text) || ours) {
        Ok(Some(text.trim_end_matches('/').to_owned()))
    } else {
        Err(format!(
            "{name} must be an address that begins with https://, or with http:// on this computer"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<OidcSettings, String> {
        let get = |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        OidcSettings::parse(get)
    }

    const BASE: (&str, &str) = ("BASE_URL", "https://edge.example.com/");

    #[test]
    fn without_client_ids_there_are_no_providers_and_nothing_is_needed() {
        let settings = parse(&[("OIDC_ISSUER", "https://id.example.org")]).unwrap();
        for kind in [Kind::Microsoft, Kind::Github, Kind::Sso] {
            assert!(settings.provider(kind).is_none());
        }
        assert_eq!(settings.label(Kind::Github), "GitHub");
    }

    #[test]
    fn a_provider_has_its_usual_addresses_and_ours_to_come_back_to() {
        let settings = parse(&[BASE, ("GITHUB_CLIENT_ID", "id"), ("GITHUB_CLIENT_SECRET", "hunter2")]).unwrap();
        let github = settings.provider(Kind::Github).unwrap();
        let dialect = Dialect::Github {
            base: "https://github.com".to_owned(),
            api: "https://api.github.com".to_owned(),
        };
        assert_eq!(github.dialect, dialect);
        assert_eq!(
            settings.redirect_uri(Kind::Github),
            "https://edge.example.com/api/auth/oidc/github/callback"
        );
        assert_eq!(settings.frontend, "https://edge.example.com");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn half_a_provider_is_refused_by_the_name_of_the_other_half() {
        for (vars, name) in [
            (vec![BASE, ("GITHUB_CLIENT_ID", "id")], "GITHUB_CLIENT_SECRET"),
            (
                vec![("GITHUB_CLIENT_ID", "id"), ("GITHUB_CLIENT_SECRET", "s")],
                "BASE_URL",
            ),
            (vec![("OIDC_ISSUER", "http://id.example.org")], "OIDC_ISSUER"),
            (
                vec![("MICROSOFT_AUTHORITY", "https://login.example.org?x")],
                "MICROSOFT_AUTHORITY",
            ),
            (vec![("MICROSOFT_TENANT_ID", "acme.example.com")], "MICROSOFT_TENANT_ID"),
            (vec![("FRONTEND_URL", "javascript:alert(1)")], "FRONTEND_URL"),
        ] {
            assert!(parse(&vars).unwrap_err().contains(name), "{vars:?}");
        }
    }
}
