//! Settings: Worker vars and secrets, read once per isolate into one struct. `wrangler.toml` documents each.
use std::str::FromStr;
use std::sync::Arc;

use chrono::TimeDelta;
use protocol::api::secret::Secret;

use super::audit_key::AuditKey;
use super::secrets::SealingKey;
use super::settings::mail::MailSettings;
use super::settings::oidc::OidcSettings;
use super::settings::origins::{AllowedOrigins, web_origin};
use super::settings::super_admin::SuperAdmin;

/// Shortest `JWT_SECRET`: below it, the signature and not the account is the weakest lock.
const MIN_JWT_SECRET: usize = 32;

/// Shortest `METRICS_TOKEN`: it is not counted how often somebody guesses.
const MIN_METRICS_TOKEN: usize = 32;

/// The provider's own API, if no other address is set.
const VULTR_API: &str = "https://api.vultr.com";

/// Everything the REST side is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signs people's tokens.
    pub token_secret: Secret,
    /// How long they live.
    pub token_lifetime: TimeDelta,
    /// Seals what must be shown again.
    pub sealing: SealingKey,
    /// Authenticates entries of the audit log.
    pub audit: AuditKey,
    /// Where this deployment is, without a final slash, if that was said.
    pub base_url: Option<String>,
    /// Who may open sockets from a browser.
    pub origins: AllowedOrigins,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// How many requests of `/v1` one client may send in a minute, as it is told.
    pub v1_requests: u32,
    /// Whether anybody may make an account.
    pub allow_signup: bool,
    /// Whether webhooks may lead to private addresses: of a deployment on somebody's own computer.
    pub webhook_private_addresses: bool,
    /// Where the API of the provider of instances is, without a final slash.
    pub vultr_api_url: String,
    /// How letters are sent; none if this server sends no mail.
    pub mail: Option<Arc<MailSettings>>,
    /// What opens `/metrics`; none if it is not there.
    pub metrics_token: Option<Secret>,
    /// With which other providers people may sign in.
    pub oidc: OidcSettings,
    /// The super administrator to be made, if one is; or why not. That is no reason not to serve those who have accounts.
    pub super_admin: Result<Option<SuperAdmin>, String>,
}

/// Why the settings cannot be used, for whoever runs this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The server is not configured: {0}")]
pub struct ConfigError(String);

impl Config {
    /// The settings of this deployment.
    pub fn from_env(env: &worker::Env) -> Result<Self, ConfigError> {
        Self::parse(|name| env.var(name).ok().map(|var| var.to_string()))
    }

    /// Settings of a test, with nothing optional.
    #[cfg(test)]
    pub fn of_a_test() -> Self {
        let secrets = [("JWT_SECRET", "x".repeat(32)), ("SECRETS_KEY", "0a".repeat(32))];
        let read = |name: &str| {
            secrets
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.clone())
        };
        Self::parse(read).unwrap()
    }

    /// How long people's tokens live, in seconds.
    pub fn token_lifetime_seconds(&self) -> u64 {
        self.token_lifetime.num_seconds().unsigned_abs()
    }

    fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| {
            read(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let jwt_secret = get("JWT_SECRET")
            .filter(|secret| secret.len() >= MIN_JWT_SECRET)
            .ok_or_else(|| ConfigError(format!("JWT_SECRET must have at least {MIN_JWT_SECRET} characters")))?;
        let (sealing, audit) = get("SECRETS_KEY")
            .and_then(|text| Some((SealingKey::from_hex(&text)?, AuditKey::derived_from(text.as_bytes())?)))
            .ok_or_else(|| ConfigError("SECRETS_KEY must be 64 hex digits".to_owned()))?;
        let origins =
            AllowedOrigins::new(get("BASE_URL").as_deref(), get("ALLOWED_ORIGINS").as_deref()).map_err(|text| {
                ConfigError(format!(
                    "BASE_URL and ALLOWED_ORIGINS must be origins such as https://edge.example.com, not {text}"
                ))
            })?;
        Ok(Self {
            // At most a year: what is signed for longer is a key, not a sign-in.
            token_lifetime: TimeDelta::hours(number("JWT_EXPIRY_HOURS", get("JWT_EXPIRY_HOURS"), 24, 1..=8760)?),
            token_secret: jwt_secret.into(),
            sealing,
            audit,
            base_url: origin("BASE_URL", get("BASE_URL"))?,
            origins,
            // At most what the platform lets a request carry.
            max_body_bytes: number(
                "MAX_BODY_BYTES",
                get("MAX_BODY_BYTES"),
                1024 * 1024,
                1024..=100 * 1024 * 1024,
            )?,
            v1_requests: number(
                "V1_REQUESTS_PER_MINUTE",
                get("V1_REQUESTS_PER_MINUTE"),
                300,
                1..=1_000_000_000,
            )?,
            metrics_token: match get("METRICS_TOKEN") {
                Some(token) if token.len() < MIN_METRICS_TOKEN => {
                    return Err(ConfigError(format!(
                        "METRICS_TOKEN must have at least {MIN_METRICS_TOKEN} characters"
                    )));
                }
                token => token.map(Secret::from),
            },
            allow_signup: flag("ALLOW_SIGNUP", get("ALLOW_SIGNUP"), true)?,
            webhook_private_addresses: flag("WEBHOOK_PRIVATE_ADDRESSES", get("WEBHOOK_PRIVATE_ADDRESSES"), false)?,
            vultr_api_url: origin("VULTR_API_URL", get("VULTR_API_URL"))?.unwrap_or_else(|| VULTR_API.to_owned()),
            mail: MailSettings::parse(get).map_err(ConfigError)?.map(Arc::new),
            oidc: OidcSettings::parse(get).map_err(ConfigError)?,
            super_admin: SuperAdmin::parse(get),
        })
    }
}

fn origin(name: &str, value: Option<String>) -> Result<Option<String>, ConfigError> {
    let Some(url) = value else { return Ok(None) };
    if web_origin(&url).is_none() {
        return Err(ConfigError(format!(
            "{name} must be an address such as https://edge.example.com, not {url}"
        )));
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

fn flag(name: &str, text: Option<String>, default: bool) -> Result<bool, ConfigError> {
    match text.as_deref() {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(ConfigError(format!("{name} must be true or false"))),
    }
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    name: &str,
    text: Option<String>,
    default: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, ConfigError> {
    let Some(text) = text else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            ConfigError(format!(
                "{name} must be a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Config, String> {
        let standard = [("JWT_SECRET", "x".repeat(32)), ("SECRETS_KEY", "0a".repeat(32))];
        Config::parse(|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
                .or_else(|| {
                    standard
                        .iter()
                        .find(|(key, _)| *key == name)
                        .map(|(_, value)| value.clone())
                })
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_are_absent_or_empty_have_their_defaults() {
        let config = parse(&[("JWT_EXPIRY_HOURS", ""), ("ALLOW_SIGNUP", " ")]).unwrap();
        assert_eq!(config.token_lifetime_seconds(), 86_400);
        assert_eq!(config.max_body_bytes, 1_048_576);
        assert!(!config.webhook_private_addresses);
        assert_eq!(config.vultr_api_url, "https://api.vultr.com");
        assert!(config.allow_signup && config.mail.is_none() && config.base_url.is_none());
    }

    #[test]
    fn settings_are_read() {
        let config = parse(&[
            ("JWT_EXPIRY_HOURS", "2"),
            ("ALLOW_SIGNUP", "false"),
            ("WEBHOOK_PRIVATE_ADDRESSES", "true"),
            ("MAX_BODY_BYTES", "2048"),
            ("BASE_URL", "https://edge.example.com/"),
        ])
        .unwrap();
        assert_eq!(config.base_url.as_deref(), Some("https://edge.example.com"));
        assert_eq!(config.token_lifetime_seconds(), 7200);
        assert_eq!(config.max_body_bytes, 2048);
        assert!(!config.allow_signup && config.webhook_private_addresses);
    }

    #[test]
    fn bad_settings_are_refused_by_name_and_without_showing_secrets() {
        for (name, value, rule) in [
            ("JWT_SECRET", "hunter2", "at least 32 characters"),
            ("SECRETS_KEY", "hunter2", "64 hex digits"),
            ("JWT_EXPIRY_HOURS", "0", "from 1 to 8760"),
            ("JWT_EXPIRY_HOURS", "soon", "from 1 to 8760"),
            ("MAX_BODY_BYTES", "1", "from 1024"),
            ("ALLOW_SIGNUP", "yes", "true or false"),
            ("METRICS_TOKEN", "hunter2", "at least 32 characters"),
            ("WEBHOOK_PRIVATE_ADDRESSES", "10.0.0.0/8", "true or false"),
            ("ALLOWED_ORIGINS", "example.org", "origins such as"),
            ("BASE_URL", "edge.example.com", "https://edge.example.com"),
            ("BASE_URL", "ftp://edge.example.com", "an address such as"),
            ("VULTR_API_URL", "api.vultr.com", "an address such as"),
            ("MAIL_TRANSPORT", "smtp", "binding or http"),
            ("GITHUB_CLIENT_ID", "id", "needs GITHUB_CLIENT_SECRET"),
        ] {
            let error = parse(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(rule), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn settings_do_not_show_their_secrets_in_debug_output() {
        let text = format!("{:?}", parse(&[("JWT_SECRET", &"hunter2".repeat(5))]).unwrap());
        assert!(!text.contains("hunter2") && !text.contains("0a0a"), "{text}");
    }
}
