//! What a request says about the program that sent it. None of it is proof of anything.
use axum::http::HeaderMap;

use crate::http::argument::{Argument, Asked};
use crate::platform::error::ApiError;

use crate::platform::context::client_address;

/// Longest `User-Agent` kept, in characters.
const MAX_USER_AGENT: usize = 512;

/// Longest name of a source.
pub const MAX_SOURCE: usize = 32;

/// The client of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its network address; `unknown` where nothing stands in front of the Worker to tell.
    pub address: String,
    /// How it names itself, shortened.
    pub user_agent: String,
    /// What kind of program it is: `ui`, `cli`, `vscode`, or a name of its own.
    pub source: String,
}

impl Argument for Client {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Ok(Self::from_headers(&asked.parts.headers))
    }
}

impl Client {
    /// What the headers of a request say of it.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let user_agent: String = header("user-agent").chars().take(MAX_USER_AGENT).collect();
        let address = match client_address(headers) {
            address if address.is_empty() => "unknown".to_owned(),
            address => address,
        };
        let source = match header("x-source") {
            source if is_source(source) => source.to_owned(),
            _ => guess_source(&user_agent).to_owned(),
        };
        Self {
            address,
            user_agent,
            source,
        }
    }
}

/// Whether a text can name a source.
pub fn is_source(text: &str) -> bool {
    (1..=MAX_SOURCE).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn guess_source(user_agent: &str) -> &'static str {
    let user_agent = user_agent.to_ascii_lowercase();
    if user_agent.contains("vscode") {
        "vscode"
    } else if user_agent.contains("curl") || user_agent.contains("cli") {
        "cli"
    } else {
        "ui"
    }
}

/// The browser named by a `User-Agent`. Edge and Opera call themselves Chrome, too, and all of them Safari, so the order
/// matters.
pub fn browser(user_agent: &str) -> &'static str {
    first(
        user_agent,
        &[
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Chrome", "Chrome"),
            ("Firefox", "Firefox"),
            ("Safari", "Safari"),
        ],
    )
}

/// The operating system named by a `User-Agent`. Android calls itself Linux, too, and an iPhone is "like Mac OS X".
pub fn operating_system(user_agent: &str) -> &'static str {
    first(
        user_agent,
        &[
            ("Windows", "Windows"),
            ("Android", "Android"),
            ("iPhone", "iOS"),
            ("iPad", "iOS"),
            ("Mac OS", "macOS"),
            ("Macintosh", "macOS"),
            ("Linux", "Linux"),
        ],
    )
}

fn first(text: &str, table: &[(&str, &'static str)]) -> &'static str {
    table
        .iter()
        .find(|(mark, _)| text.contains(mark))
        .map_or("Unknown", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(headers: &[(&'static str, &str)]) -> Client {
        Client::from_headers(
            &headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn browsers_and_systems_are_told_apart() {
        for (user_agent, name, system) in [
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 OPR/106.0",
                "Opera",
                "Linux",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.1; rv:120.0) Gecko/20100101 Firefox/120.0",
                "Firefox",
                "macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17.1 Mobile Safari/604.1",
                "Safari",
                "iOS",
            ),
            ("curl/8.5.0", "Unknown", "Unknown"),
            ("", "Unknown", "Unknown"),
        ] {
            assert_eq!(
                (browser(user_agent), operating_system(user_agent)),
                (name, system),
                "{user_agent}"
            );
        }
    }

    #[test]
    fn a_source_is_named_by_the_client_or_guessed() {
        for (headers, source) in [
            (vec![("x-source", "my-tool"), ("user-agent", "curl/8")], "my-tool"),
            (vec![("x-source", "no spaces please"), ("user-agent", "curl/8")], "cli"),
            (vec![("user-agent", "VSCode/1.90")], "vscode"),
            (vec![("user-agent", "Go-http-client/1.1")], "cli"),
            (vec![("user-agent", "Mozilla/5.0")], "ui"),
            (vec![], "ui"),
        ] {
            assert_eq!(client(&headers).source, source, "{headers:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_not_believed() {
        assert_eq!(client(&[("cf-connecting-ip", "2001:db8::1")]).address, "2001:db8::1");
        assert_eq!(client(&[("cf-connecting-ip", "me")]).address, "unknown");
        assert_eq!(client(&[]).address, "unknown");
    }

    #[test]
    fn a_long_user_agent_is_shortened() {
        assert_eq!(
            client(&[("user-agent", &"x".repeat(5000))]).user_agent.len(),
            MAX_USER_AGENT
        );
    }
}
