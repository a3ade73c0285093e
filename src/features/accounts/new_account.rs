//! Making accounts: what all ways to make one share.
use protocol::api::agents::API_KEY_PREFIX;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::body;
use super::email_link::{self, Purpose};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::mail::{Letter, Link};
use crate::platform::{random, secrets};

/// The key of a new account that enrols machines.
pub struct NewApiKey {
    pub key: Secret,
    /// What it is recognised by.
    pub hash: String,
    /// It, to be shown again.
    pub sealed: String,
}

impl NewApiKey {
    /// A key for an account.
    pub fn make(app: &App, user: &ObjectId) -> Result<Self, ApiError> {
        let key = Secret::from(format!("{API_KEY_PREFIX}{}", random::hex::<24>()?));
        Ok(Self {
            hash: secrets::digest(key.expose()),
            sealed: app.config.sealing.seal(&body::api_key_associated_data(user), &key)?,
            key,
        })
    }
}

/// A letter to be sent to a new account once it is there.
pub struct Welcome(Secret);

impl Welcome {
    /// The letter, and the row that makes its link work; nothing if this server sends no mail.
    pub fn prepare(
        app: &App,
        user: &ObjectId,
        now: &str,
    ) -> Result<(Option<Self>, Option<email_link::Rows>), ApiError> {
        if !app.mailer().is_configured() {
            return Ok((None, None));
        }
        let (token, row) = email_link::new(user, Purpose::Verify, now)?;
        Ok((Some(Self(token)), Some(row)))
    }

    /// Sends it.
    pub fn post(&self, app: &App, username: &str, email: &str) {
        let link = Link {
            token: &self.0,
            lasts: Purpose::Verify.lasts(),
        };
        app.mailer().post(email, &Letter::Welcome { username, link });
    }
}
