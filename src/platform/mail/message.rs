//! A letter in its envelope, as mail servers pass it on (RFC 5322 and MIME).
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Header;
use mail_builder::headers::date::Date;

use super::Address;
use crate::platform::random;
use crate::platform::settings::mail::Sender;

/// A letter that is ready to be sent.
#[derive(Debug)]
pub struct Message {
    /// What kind of letter it is, for logs.
    pub name: &'static str,
    /// From whom.
    pub from: Sender,
    /// To whom.
    pub to: Address,
    /// One line.
    pub subject: String,
    /// For programs that show text only.
    pub text: String,
    /// For all others.
    pub html: String,
}

impl Message {
    /// The whole message: headers, and text and HTML as alternatives. The library encodes every header.
    pub fn mime(&self) -> Result<String, String> {
        let id = random::hex::<16>().map_err(|_| "no randomness".to_owned())?;
        let from = &self.from;
        let name = Some(from.name.as_str()).filter(|name| !name.is_empty());
        MessageBuilder::new()
            .from(Header::new_address(name, from.address.as_str()))
            .to(Header::new_address(None::<&str>, self.to.as_str()))
            .subject(self.subject.as_str())
            .date(Date::new(chrono::Utc::now().timestamp()))
            .message_id(format!("{id}@{}", from.address.domain()))
            // Answered by nobody, so that no holiday notice answers us (RFC 3834).
            .header("Auto-Submitted", mail_builder::headers::raw::Raw::new("auto-generated"))
            .text_body(self.text.as_str())
            .html_body(self.html.as_str())
            .write_to_string()
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn message(subject: &str) -> Message {
        Message {
            name: "test",
            from: sender("VSAY Édge"),
            to: Address::parse("ann@example.org").unwrap(),
            subject: subject.to_owned(),
            text: "Grüße an ann\nhttps://edge.example.com/a/b".to_owned(),
            html: "<p>Grüße an ann</p>".to_owned(),
        }
    }

    fn sender(name: &str) -> Sender {
        Sender {
            name: name.to_owned(),
            address: Address::parse("edge@example.com").unwrap(),
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let raw = message("Grüße, \"du\"").mime().unwrap();
        assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{raw}");
        let parsed = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(parsed.subject(), Some("Grüße, \"du\""));
        let from = parsed.from().and_then(|from| from.first()).unwrap();
        assert_eq!(
            (from.name(), from.address()),
            (Some("VSAY Édge"), Some("edge@example.com"))
        );
        let to = parsed.to().and_then(|to| to.first()).unwrap();
        assert_eq!((to.name(), to.address()), (None, Some("ann@example.org")));
        assert!(parsed.message_id().unwrap().ends_with("@example.com"));
        assert!(parsed.date().is_some());
        assert_eq!(
            parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
            message("").text
        );
        assert_eq!(parsed.body_html(0).unwrap().trim_end(), message("").html);
    }

    #[test]
    fn a_subject_cannot_begin_another_header() {
        let raw = message("Hello\r\nBcc: eve@example.org\r\n\r\nbody").mime().unwrap();
        let parsed = MessageParser::default().parse(&raw).unwrap();
        assert!(parsed.bcc().is_none(), "{raw}");
        assert_eq!(parsed.body_html(0).unwrap().trim_end(), message("").html);
    }

    #[test]
    fn a_sender_is_only_a_name_whatever_is_in_it() {
        for name in [
            "Acme, Inc.",
            "\"Acme\" <eve@example.org>",
            "a\\b\"c",
            "Ünïcode (x)",
            "eve@example.org, bob@example.org",
        ] {
            let message = Message {
                from: sender(name),
                ..message("Hi")
            };
            let raw = message.mime().unwrap();
            let parsed = MessageParser::default().parse(&raw).unwrap();
            let from: Vec<_> = parsed
                .from()
                .unwrap()
                .iter()
                .map(|from| (from.name(), from.address()))
                .collect();
            assert_eq!(from, [(Some(name), Some("edge@example.com"))], "{raw}");
        }
    }
}
