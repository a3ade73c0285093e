//! Mail as it arrives: the files that the local edge keeps.
use mail_parser::MessageParser;

use super::stack::Stack;
use super::wait::eventually;

/// A letter.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it says it is from: the address…
    pub from: String,
    /// …and the name.
    pub sender: String,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its HTML.
    pub html: String,
}

impl Mail {
    fn parse(raw: &[u8]) -> Option<Self> {
        let parsed = MessageParser::default().parse(raw)?;
        let address = |list: Option<&mail_parser::Address>| Some(list?.first()?.address()?.to_owned());
        Some(Self {
            from: address(parsed.from())?,
            sender: parsed.from()?.first()?.name().unwrap_or_default().to_owned(),
            to: address(parsed.to())?,
            subject: parsed.subject()?.to_owned(),
            text: parsed.body_text(0)?.into_owned(),
            html: parsed.body_html(0)?.into_owned(),
        })
    }

    /// The link in it that has this after the edge's address. It must be in both parts.
    pub fn link(&self, path: &str) -> String {
        let link = self
            .text
            .split_whitespace()
            .find(|word| word.contains(path))
            .unwrap_or_else(|| panic!("no link with {path}: {self:#?}"));
        assert!(self.html.contains(&format!("href=\"{link}\"")), "{self:#?}");
        link.to_owned()
    }
}

/// All letters to an address so far, in no particular order.
pub fn letters(stack: &Stack, to: &str) -> Vec<Mail> {
    let files = std::fs::read_dir(stack.mail_folder()).into_iter().flatten().flatten();
    let mails = files.filter_map(|file| Mail::parse(&std::fs::read(file.path()).ok()?));
    mails.filter(|mail| mail.to == to).collect()
}

/// Waits for a letter to an address, with this in its subject.
pub async fn letter(stack: &Stack, to: &str, subject: &str) -> Mail {
    eventually(&format!("a letter to {to}: {subject}"), async || {
        letters(stack, to)
            .into_iter()
            .find(|mail| mail.subject.contains(subject))
    })
    .await
}
