//! The state of a sign-in: what it has proven so far, what it still needs, and what is answered until then. It travels in session
//! tokens, between the steps of a sign-in and to switch between organizations afterwards, and is signed there; nothing of it is
//! kept on the server but a mailed code's.
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::auth::{Challenge, Factor, Tenant, TenantChoice};
use protocol::api::organizations::OtpPolicy;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::{Deserialize, Serialize};

use crate::auth::token::{Issued, TokenKey};
use crate::features::accounts::row::AccountRow;
use crate::platform::error::ApiError;
use crate::platform::random;

/// How long a sign-in may wait for the code it needs.
const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A sign-in under way or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInState {
    /// Names the sign-in. The time it began is in the name.
    pub sid: ObjectId,
    /// The address that the accounts share.
    pub email: String,
    /// The program that signs in, as it was called when the password was given.
    pub source: String,
    /// How the first step was taken: `password`, or the name of who vouched.
    pub method: String,
    /// Whether whoever signs in has proven to read the mail of that address.
    pub mail_proven: bool,
    /// The accounts it opens.
    pub accounts: Vec<StateAccount>,
}

/// How a browser calls itself, and whoever does not say what it is.
const BROWSER: &str = "ui";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateAccount {
    pub id: ObjectId,
    pub tenant_id: String,
    /// Its token version when it was opened: a change of the password or the like closes it.
    pub version: i64,
    /// Whether a code of its authenticator app was given.
    pub totp: bool,
}

impl SignInState {
    /// A sign-in that begins, with the accounts whose first factor was right.
    pub fn begin(source: &str, method: &str, mail_proven: bool, accounts: &[AccountRow]) -> Result<Self, ApiError> {
        let account = |row: &AccountRow| StateAccount {
            id: row.id.clone(),
            tenant_id: row.tenant_id.clone(),
            version: row.token_version,
            totp: false,
        };
        Ok(Self {
            sid: random::object_id()?,
            email: accounts.first().map(|row| row.email.clone()).unwrap_or_default(),
            source: source.to_owned(),
            method: method.to_owned(),
            mail_proven,
            accounts: accounts.iter().map(account).collect(),
        })
    }

    /// What else is needed to sign in to one of its accounts. A code of the app says more than a mailed one, and so is asked for
    /// in its place.
    pub fn needs(&self, account: &AccountRow) -> Option<Factor> {
        let entry = self.entry(&account.id);
        match account.totp_confirmed_at.is_some() {
            true => (!entry.is_some_and(|entry| entry.totp)).then_some(Factor::Totp),
            false => (self.by_policy(account.otp) && !self.mail_proven).then_some(Factor::Mail),
        }
    }

    /// Whether the organization has a code mailed to whoever signs in this way.
    fn by_policy(&self, policy: OtpPolicy) -> bool {
        match policy {
            OtpPolicy::Off => false,
            OtpPolicy::Ui => self.source == BROWSER,
            OtpPolicy::On => true,
        }
    }

    /// The same, after a factor of one account was given.
    pub fn with(mut self, factor: Factor, account: &ObjectId) -> Self {
        match factor {
            Factor::Mail => self.mail_proven = true,
            Factor::Totp => {
                for entry in self.accounts.iter_mut().filter(|entry| entry.id == *account) {
                    entry.totp = true;
                }
            }
        }
        self
    }

    /// Whether no password of its accounts or the like has changed since it began.
    pub fn is_current(&self, rows: &[AccountRow]) -> bool {
        self.accounts.iter().all(|entry| {
            let current = |row: &AccountRow| row.id == entry.id && row.token_version == entry.version;
            rows.iter().any(current)
        })
    }

    /// The account in one organization.
    pub fn in_tenant(&self, tenant_id: &str) -> Option<&ObjectId> {
        let entry = self.accounts.iter().find(|entry| entry.tenant_id == tenant_id);
        entry.map(|entry| &entry.id)
    }

    /// The ids of its accounts.
    pub fn ids(&self) -> Vec<&ObjectId> {
        self.accounts.iter().map(|entry| &entry.id).collect()
    }

    fn entry(&self, id: &ObjectId) -> Option<&StateAccount> {
        self.accounts.iter().find(|entry| entry.id == *id)
    }

    /// What is answered while `factor` is still needed for `account`, one of the `rows` that it opens.
    pub fn challenge(
        &self,
        key: &TokenKey,
        factor: Factor,
        account: &AccountRow,
        rows: &[AccountRow],
    ) -> Result<Challenge, ApiError> {
        let mailed = factor == Factor::Mail;
        let challenged = Challenged {
            account: account.id.clone(),
            factor,
        };
        Ok(Challenge {
            message: match factor {
                Factor::Mail => "OTP sent to your email".to_owned(),
                Factor::Totp => "Enter the code of your authenticator app".to_owned(),
            },
            requires_otp: mailed,
            mfa_required: true,
            mfa_method: factor,
            mfa_token: self.challenge_token(key, challenged)?,
            username: account.username.clone(),
            otp_expires_in_min: mailed.then_some(account.otp_minutes),
            tenants: tenants(rows),
            session_token: self.session_token(key)?,
        })
    }

    /// What is answered where several organizations are to be chosen among.
    pub fn choice(&self, key: &TokenKey, rows: &[AccountRow]) -> Result<TenantChoice, ApiError> {
        Ok(TenantChoice {
            requires_tenant_selection: true,
            tenants: tenants(rows),
            session_token: self.session_token(key)?,
        })
    }

    /// A token that proves the state of the sign-in, to choose among organizations. It lives as long as a bearer token: that is
    /// for how long switching is one click.
    pub fn session_token(&self, key: &TokenKey) -> Result<Secret, ApiError> {
        key.sign(self.claims(None), key.lifetime())
    }

    /// A token for the second step.
    fn challenge_token(&self, key: &TokenKey, challenged: Challenged) -> Result<Secret, ApiError> {
        key.sign(self.claims(Some(challenged)), CHALLENGE_LIFETIME)
    }

    /// The state that a session token proves, if it is good.
    pub fn of_session_token(key: &TokenKey, token: &str) -> Option<Self> {
        let claims: Presented = key.claims(token)?;
        claims.challenge.is_none().then_some(claims.state)
    }

    /// Which step of which sign-in a token is for, if it is good.
    pub fn of_challenge_token(key: &TokenKey, token: &str) -> Option<(Self, Challenged)> {
        let claims: Presented = key.claims(token)?;
        Some((claims.state, claims.challenge?))
    }

    /// As it is kept beside a mailed code.
    pub fn to_json(&self) -> Result<String, ApiError> {
        serde_json::to_string(self).map_err(ApiError::internal)
    }

    /// From [`Self::to_json`].
    pub fn from_json(text: &str) -> Result<Self, ApiError> {
        protocol::json::from_str(text).map_err(ApiError::internal)
    }

    fn claims(&self, challenge: Option<Challenged>) -> Claims<'_> {
        let tenants = self.accounts.iter().map(|account| account.tenant_id.as_str());
        Claims {
            email: &self.email,
            tenant_ids: tenants.collect(),
            source: &self.source,
            state: self,
            challenge,
        }
    }
}

/// Claims of a token that is no bearer token: it says no `user_id`.
#[derive(Serialize)]
struct Claims<'a> {
    email: &'a str,
    tenant_ids: Vec<&'a str>,
    source: &'a str,
    /// Under the name that tokens have it which were issued before.
    #[serde(rename = "opened")]
    state: &'a SignInState,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<Challenged>,
}

#[derive(Clone, Deserialize)]
struct Presented {
    iss: String,
    #[serde(rename = "opened")]
    state: SignInState,
    challenge: Option<Challenged>,
}

impl Issued for Presented {
    fn issuer(&self) -> &str {
        &self.iss
    }
}

/// What a sign-in to one of its accounts waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenged {
    pub account: ObjectId,
    pub factor: Factor,
}

/// When a sign-in began.
pub fn began_at(sign_in: &str) -> Option<DateTime<Utc>> {
    let millis = i64::from_str_radix(sign_in.get(..12)?, 16).ok()?;
    DateTime::from_timestamp_millis(millis)
}

/// Accounts to choose among.
pub fn tenants(rows: &[AccountRow]) -> Vec<Tenant> {
    rows.iter()
        .map(|row| Tenant {
            tenant_id: row.tenant_id.clone(),
            tenant_name: row.tenant_name.clone(),
            username: row.username.clone(),
            user_id: row.id.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
