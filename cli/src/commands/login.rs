//! `vsay login`
use std::io::{BufRead, IsTerminal};

use protocol::api::auth::{LoginAnswer, SignedIn};
use protocol::api::secret::Secret;

use super::{ask, say};
use crate::client::Client;
use crate::config::{Config, ConfigFile};
use crate::error::{Error, tell};

/// Signs in with a token, or with a name and a password, asking for what is missing. Keeps the sign-in only once the
/// server has accepted it.
pub async fn run(file: &ConfigFile, url: &str, name: Option<String>, token: Option<String>) -> Result<(), Error> {
    let api_url = normalize(url)?;
    let (config, username) = match token {
        Some(token) => {
            let config = Config {
                api_url,
                token: token.into(),
            };
            let user = Client::signed_in(&config)?.me().await?;
            (config, user.username)
        }
        None => {
            let name = name_or_ask(name)?;
            let signed_in = sign_in(&Client::anonymous(&api_url)?, name).await?;
            (
                Config {
                    api_url,
                    token: signed_in.token,
                },
                signed_in.user.username,
            )
        }
    };
    file.save(&config)?;
    say(format!("Signed in to {} as {username}.", config.api_url))
}

/// Signs in with a password, and with a code where one is needed.
async fn sign_in(client: &Client, name: String) -> Result<SignedIn, Error> {
    let mut answer = client.login(name, password()?).await?;
    loop {
        answer = match answer {
            LoginAnswer::SignedIn(signed_in) => return Ok(*signed_in),
            LoginAnswer::Challenge(challenge) => {
                tell(&format!("{}\n", challenge.message));
                client.verify(challenge.mfa_token, line("Code: ")?).await?
            }
            LoginAnswer::Choice(_) => return Err(Error::Unexpected("a choice of organizations".to_owned())),
        };
    }
}

fn name_or_ask(name: Option<String>) -> Result<String, Error> {
    let name = match name {
        Some(name) => Some(name),
        None => ask("Email or username: ")?,
    };
    let name = name.filter(|name| !name.is_empty());
    name.ok_or_else(|| Error::Argument("say who signs in: --email or --token".to_owned()))
}

fn password() -> Result<Secret, Error> {
    match std::io::stdin().is_terminal() {
        true => Ok(rpassword::prompt_password("Password: ")?.into()),
        false => line(""),
    }
}

/// A line of the terminal, or of whatever standard input is.
fn line(question: &str) -> Result<Secret, Error> {
    if let Some(answer) = ask(question)? {
        return Ok(answer.into());
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned().into())
}

/// The address as it is kept: with a scheme, without `/api` and final slashes.
fn normalize(url: &str) -> Result<String, Error> {
    let url = url.trim();
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    let bad = || {
        Error::Argument(format!(
            "{url} is not the address of a server, such as https://edge.example.com"
        ))
    };
    let parsed = reqwest::Url::parse(&url).map_err(|_| bad())?;
    let plain = parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty();
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() || !plain {
        return Err(bad());
    }
    let path = parsed.as_str().trim_end_matches('/');
    Ok(path
        .strip_suffix("/api")
        .unwrap_or(path)
        .trim_end_matches('/')
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_api_and_slashes_and_defaults_to_https() {
        for (typed, kept) in [
            ("edge.example.com", "https://edge.example.com"),
            ("https://edge.example.com/api/", "https://edge.example.com"),
            ("http://127.0.0.1:8787/", "http://127.0.0.1:8787"),
            (" https://example.com/vsay/api ", "https://example.com/vsay"),
        ] {
            assert_eq!(normalize(typed).unwrap(), kept, "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_an_argument_error() {
        for typed in [
            "",
            "ftp://example.com",
            "https://",
            "https://u@example.com",
            "https://example.com?x=1",
            "a b",
        ] {
            assert_eq!(normalize(typed).unwrap_err().exit_status(), 2, "{typed}");
        }
    }
}
