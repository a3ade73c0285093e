//! The mail settings. `wrangler.toml` documents each.
use protocol::api::secret::Secret;

use crate::platform::mail::Address;

/// Where letters go when `MAIL_HTTP_URL` says nothing else.
const HTTP_URL: &str = "https://api.resend.com/emails";

/// Everything that sending mail needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// How letters leave.
    pub transport: Transport,
    /// Whom they are from.
    pub from: Sender,
    /// What links in them begin with, without a final slash. Never taken from a request, whose `Host` anybody can choose.
    pub base_url: String,
}

/// A way for letters to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// The `send_email` binding.
    Binding,
    /// A mail service over HTTP.
    Http {
        /// Where letters are posted to.
        url: String,
        /// Proves to the service who posts.
        key: Secret,
    },
}

/// Whom letters are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// A name for people; may be empty.
    pub name: String,
    pub address: Address,
}

impl Sender {
    /// Reads `Name <address>` or an address alone.
    fn parse(text: &str) -> Option<Self> {
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address.trim()),
            None => ("", text),
        };
        let simple = !name.chars().any(|c| c.is_control() || "<>\"".contains(c));
        simple.then_some(())?;
        Some(Self {
            name: name.to_owned(),
            address: Address::parse(address)?,
        })
    }
}

impl Sender {
    /// As a header has it: `Name <address>`, the name in quotes where it has more in it than words (RFC 5322, 3.2.5).
    pub fn in_header(&self) -> String {
        let address = self.address.as_str();
        let is_plain = |c: char| c.is_alphanumeric() || c == ' ' || "!#$%&'*+-/=?^_`{|}~".contains(c);
        match self.name.as_str() {
            "" => address.to_owned(),
            name if name.chars().all(is_plain) => format!("{name} <{address}>"),
            name => {
                let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{quoted}\" <{address}>")
            }
        }
    }
}

impl MailSettings {
    /// Reads the settings; nothing if `MAIL_TRANSPORT` is empty. What is missing or wrong is said by its name: half a mail
    /// setup would be found out by the person who waits for a letter.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let Some(transport) = get("MAIL_TRANSPORT") else {
            return Ok(None);
        };
        let need = |name: &str| get(name).ok_or_else(|| format!("MAIL_TRANSPORT is {transport}, which needs {name}"));
        let transport = match transport.as_str() {
            "binding" => Transport::Binding,
            "http" => {
                let url = get("MAIL_HTTP_URL").unwrap_or_else(|| HTTP_URL.to_owned());
                if !keeps_secrets(&url) {
                    return Err("MAIL_HTTP_URL must begin with https://, or with http:// on this computer".to_owned());
                }
                Transport::Http {
                    url,
                    key: need("MAIL_HTTP_KEY")?.into(),
                }
            }
            _ => return Err("MAIL_TRANSPORT must be empty, binding or http".to_owned()),
        };
        let from = Sender::parse(&need("MAIL_FROM")?)
            .ok_or("MAIL_FROM must be an address, or a name and an address such as VSAY Edge <edge@example.com>")?;
        Ok(Some(Self {
            transport,
            from,
            base_url: need("BASE_URL")?.trim_end_matches('/').to_owned(),
        }))
    }
}

/// Whether a key may be sent to a URL: encrypted, or without leaving the computer.
pub fn keeps_secrets(url: &str) -> bool {
    let local = |url: &str| {
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
            url.strip_prefix(host)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']) && !rest.contains('@'))
        })
    };
    url.starts_with("https://") || url.strip_prefix("http://").is_some_and(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Option<MailSettings>, String> {
        MailSettings::parse(|name| {
            let var = vars.iter().find(|(key, _)| *key == name)?;
            Some(var.1.to_owned())
        })
    }

    const BASE: (&str, &str) = ("BASE_URL", "https://edge.example.com/");
    const FROM: (&str, &str) = ("MAIL_FROM", "VSAY Edge <edge@example.com>");

    #[test]
    fn without_a_transport_there_is_no_mail() {
        assert_eq!(parse(&[BASE, FROM]), Ok(None));
    }

    #[test]
    fn settings_that_are_whole_are_read() {
        let settings = parse(&[("MAIL_TRANSPORT", "binding"), BASE, FROM]).unwrap().unwrap();
        assert_eq!(settings.transport, Transport::Binding);
        assert_eq!(
            (settings.from.name.as_str(), settings.from.address.as_str()),
            ("VSAY Edge", "edge@example.com")
        );
        assert_eq!(settings.base_url, "https://edge.example.com");

        let http = [
            ("MAIL_TRANSPORT", "http"),
            ("MAIL_HTTP_KEY", "hunter2"),
            BASE,
            ("MAIL_FROM", "a@b.c"),
        ];
        let settings = parse(&http).unwrap().unwrap();
        assert!(matches!(&settings.transport, Transport::Http { url, .. } if url == HTTP_URL));
        assert_eq!(settings.from.name, "");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_name_with_more_than_words_in_it_is_quoted() {
        for (name, header) in [
            ("", "edge@example.com"),
            ("VSAY Edge", "VSAY Edge <edge@example.com>"),
            ("Édge & Co", "Édge & Co <edge@example.com>"),
            ("Acme, Inc.", "\"Acme, Inc.\" <edge@example.com>"),
            (
                "a\\\" <eve@example.org>",
                "\"a\\\\\\\" <eve@example.org>\" <edge@example.com>",
            ),
        ] {
            let sender = Sender {
                name: name.to_owned(),
                address: Address::parse("edge@example.com").unwrap(),
            };
            assert_eq!(sender.in_header(), header);
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let binding = ("MAIL_TRANSPORT", "binding");
        let http = ("MAIL_TRANSPORT", "http");
        let key = ("MAIL_HTTP_KEY", "hunter2");
        for (vars, name) in [
            (vec![("MAIL_TRANSPORT", "smtp")], "MAIL_TRANSPORT"),
            (vec![binding, FROM], "BASE_URL"),
            (vec![binding, BASE], "MAIL_FROM"),
            (vec![binding, BASE, ("MAIL_FROM", "nobody")], "MAIL_FROM"),
            (
                vec![binding, BASE, ("MAIL_FROM", "a\r\nBcc: e@x.y <a@b.c>")],
                "MAIL_FROM",
            ),
            (vec![http, BASE, FROM], "MAIL_HTTP_KEY"),
            (
                vec![http, key, BASE, FROM, ("MAIL_HTTP_URL", "http://mail.example.com")],
                "MAIL_HTTP_URL",
            ),
            (
                vec![
                    http,
                    key,
                    BASE,
                    FROM,
                    ("MAIL_HTTP_URL", "http://localhost@example.com/"),
                ],
                "MAIL_HTTP_URL",
            ),
            (
                vec![
                    http,
                    key,
                    BASE,
                    FROM,
                    ("MAIL_HTTP_URL", "http://localhost:1@example.com/"),
                ],
                "MAIL_HTTP_URL",
            ),
        ] {
            let error = parse(&vars).unwrap_err();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
        let local = [http, key, BASE, FROM, ("MAIL_HTTP_URL", "http://127.0.0.1:8025/emails")];
        assert!(parse(&local).unwrap().is_some());
    }
}
