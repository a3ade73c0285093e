//! Mail to people. `app.mailer()` sends a [`Letter`] by the transport of the settings, or says that it cannot.
//!
//! A letter that does not arrive must not break what it tells of, so [`Mailer::post`] sends after the response and only logs
//! a failure. Where the letter is the point, as with a code to sign in, [`Mailer::send`] waits and tells.
mod address;
mod letter;
mod message;
mod render;
mod transport;

use std::sync::Arc;

use worker::Env;

use super::background::Background;
use super::brand::Brand;
use super::error::ApiError;
use super::log;
use super::settings::mail::MailSettings;

use letter::Content;
use message::Message;

pub use address::Address;
pub use letter::{Decision, Letter, Link, Wish};

/// Why a letter was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// This server has no mail settings.
    #[error("no mail is set up on this server")]
    NotConfigured,
    /// Nothing can be sent to such an address.
    #[error("the address cannot receive mail")]
    Address,
    /// The transport refused it or did not answer. The text names no address.
    #[error("{0}")]
    Failed(String),
}

/// For requests that make no sense without the letter.
impl From<NotSent> for ApiError {
    fn from(reason: NotSent) -> Self {
        match reason {
            NotSent::NotConfigured => {
                Self::misconfigured("This server cannot send mail: its mail settings are missing")
            }
            NotSent::Address => {
                Self::unavailable("mail_failed", "The mail could not be sent to this account's address")
            }
            NotSent::Failed(_) => Self::unavailable("mail_failed", "The mail could not be sent; try again in a minute"),
        }
    }
}

/// What is written before it is known how the product is called, which [`Mailer::post`] asks after the response only.
struct Draft {
    name: &'static str,
    to: Address,
    content: Content,
}

impl Draft {
    /// Ready to be sent. A name that was chosen for the product is its sender's, too.
    fn message(self, settings: &MailSettings, brand: &Brand) -> Message {
        let mut from = settings.from.clone();
        if brand.own().is_some() {
            from.name = brand.name();
        }
        Message {
            name: self.name,
            from,
            to: self.to,
            text: render::text(&self.content, &settings.base_url, brand),
            html: render::html(&self.content, &settings.base_url, brand),
            subject: brand.named(&self.content.subject).into_owned(),
        }
    }
}

#[derive(Clone)]
pub struct Mailer {
    settings: Option<Arc<MailSettings>>,
    env: Env,
    background: Background,
}

impl Mailer {
    /// A mailer; without settings, one that says so. What [`Self::post`] sends, it sends on `background`.
    pub fn new(settings: Option<Arc<MailSettings>>, env: Env, background: Background) -> Self {
        Self {
            settings,
            env,
            background,
        }
    }

    /// Whether letters can be sent at all.
    pub fn is_configured(&self) -> bool {
        self.settings.is_some()
    }

    /// Sends a letter to the address `to` and waits until the transport has taken it: a second or two, 15 seconds at most. A
    /// failure is logged here.
    pub async fn send(&self, to: &str, letter: &Letter<'_>) -> Result<(), NotSent> {
        let draft = self.write(to, letter)?;
        self.deliver(draft).await
    }

    /// Sends a letter once the request at hand is answered: how long the answer takes tells nobody whether there was an
    /// account to write to.
    pub fn post(&self, to: &str, letter: &Letter<'_>) {
        if let Ok(draft) = self.write(to, letter) {
            let mailer = self.clone();
            self.background.run(async move {
                // Logged already, and nobody waits for it.
                let _ = mailer.deliver(draft).await;
            });
        }
    }

    fn write(&self, to: &str, letter: &Letter) -> Result<Draft, NotSent> {
        let settings = self.settings.as_ref().ok_or(NotSent::NotConfigured)?;
        let to = Address::parse(to).ok_or(NotSent::Address).inspect_err(|reason| {
            log::error(&format!("mail ({}) not sent: {reason}", letter.name()));
        })?;
        Ok(Draft {
            name: letter.name(),
            to,
            content: letter.content(&settings.base_url),
        })
    }

    async fn deliver(&self, draft: Draft) -> Result<(), NotSent> {
        let settings = self.settings.as_ref().ok_or(NotSent::NotConfigured)?;
        let message = draft.message(settings, &Brand::find(&self.env).await);
        transport::send(settings, &self.env, &message).await.map_err(|error| {
            // A transport may quote the address it was given.
            let text = error.replace(message.to.as_str(), &message.to.masked());
            log::error(&format!(
                "mail ({}) to {} not sent: {text}",
                message.name,
                message.to.masked()
            ));
            NotSent::Failed(text)
        })
    }
}
