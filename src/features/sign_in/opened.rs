//! What a sign-in has proven so far. It travels in session tokens, between the steps of a sign-in and to switch between
//! organizations afterwards, and is signed there; nothing of it is kept on the server but a mailed code's.
use chrono::{DateTime, Utc};
use protocol::api::auth::{Factor, Tenant};
use protocol::api::organizations::OtpPolicy;
use protocol::ids::ObjectId;
use serde::{Deserialize, Serialize};

use crate::features::accounts::store::AccountRow;
use crate::platform::error::ApiError;
use crate::platform::random;

/// A sign-in under way or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
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
    pub accounts: Vec<OpenedAccount>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedAccount {
    /// The account.
    pub id: ObjectId,
    /// Its organization's slug.
    pub tenant_id: String,
    /// Its token version when it was opened: a change of the password or the like closes it.
    pub version: i64,
    /// Whether a code of its authenticator app was given.
    pub totp: bool,
}

impl Opened {
    /// A sign-in that begins, with the accounts whose first factor was right.
    pub fn begin(source: &str, method: &str, mail_proven: bool, accounts: &[AccountRow]) -> Result<Self, ApiError> {
        let open = |row: &AccountRow| OpenedAccount {
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
            accounts: accounts.iter().map(open).collect(),
        })
    }

    /// What else is needed to sign in to one of its accounts. A code of the app says more than a mailed one, and so is asked for
    /// in its place.
    pub fn needs(&self, account: &AccountRow) -> Option<Factor> {
        let entry = self.entry(&account.id);
        match account.totp_confirmed_at.is_some() {
            true => (!entry.is_some_and(|entry| entry.totp)).then_some(Factor::Totp),
            false => (account.otp == OtpPolicy::On && !self.mail_proven).then_some(Factor::Mail),
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

    fn entry(&self, id: &ObjectId) -> Option<&OpenedAccount> {
        self.accounts.iter().find(|entry| entry.id == *id)
    }
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
mod tests {
    use super::*;
    use crate::features::accounts::store::find_account;
    use crate::testing::World;

    fn row(sql: &str) -> AccountRow {
        let world = World::new();
        world.user("ann", "acme", "user");
        world.execute(sql);
        world.run(find_account(world.caller("ann").id())).remove(0)
    }

    #[test]
    fn a_mailed_code_is_needed_as_the_organization_says_whatever_the_program_and_once_in_a_sign_in() {
        for (otp, source, needed) in [
            ("off", "ui", false),
            ("on", "ui", true),
            ("on", "cli", true),
            ("on", "vscode", true),
        ] {
            let row = row(&format!("UPDATE organizations SET otp = '{otp}'"));
            let opened = Opened::begin(source, "password", false, std::slice::from_ref(&row)).unwrap();
            assert_eq!(opened.needs(&row).is_some(), needed, "{otp} {source}");
            assert_eq!(opened.with(Factor::Mail, &row.id).needs(&row), None);
        }
    }

    #[test]
    fn an_authenticator_app_is_asked_for_in_place_of_mail_and_by_every_source() {
        let row = row("UPDATE organizations SET otp = 'on'; UPDATE users SET totp_confirmed_at = 'x'");
        for source in ["ui", "cli", "vscode"] {
            let opened = Opened::begin(source, "password", true, std::slice::from_ref(&row)).unwrap();
            assert_eq!(opened.needs(&row), Some(Factor::Totp));
            let other = "f".repeat(24).parse().unwrap();
            assert_eq!(
                opened.clone().with(Factor::Totp, &other).needs(&row),
                Some(Factor::Totp)
            );
            assert_eq!(opened.with(Factor::Totp, &row.id).needs(&row), None);
        }
    }

    #[test]
    fn it_closes_with_a_new_token_version_of_any_account() {
        let before = row("UPDATE users SET token_version = 3");
        let opened = Opened::begin("ui", "password", false, std::slice::from_ref(&before)).unwrap();
        assert!(opened.is_current(&[before]));
        assert!(!opened.is_current(&[]));
        assert!(!opened.is_current(&[row("UPDATE users SET token_version = 4")]));
    }

    #[test]
    fn a_sign_in_knows_when_it_began() {
        let opened = Opened::begin("ui", "password", false, &[]).unwrap();
        let age = Utc::now() - began_at(opened.sid.as_str()).unwrap();
        assert!(age.num_seconds().abs() < 5);
        assert_eq!(began_at("key:1"), None);
    }
}
