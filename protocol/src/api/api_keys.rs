//! Personal API keys: what programs call the API with in a person's name.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Most keys of one account. Few enough that their owner knows what each is for.
pub const MAX_KEYS: usize = 5;

/// Longest name of a key, in characters.
pub const MAX_KEY_NAME: usize = 60;

/// Longest life of a key that has an end, in days.
pub const MAX_KEY_DAYS: u32 = 3650;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Everything its owner may do, except what is asked of a person, which is changing the password, the profile and the
    /// keys, and except administering people.
    #[default]
    Full,
    /// The same, and administering people as far as its owner may: accounts, roles, groups and who is in them.
    #[serde(rename = "people:admin")]
    PeopleAdmin,
    /// Reading.
    Read,
}

impl KeyScope {
    /// The scope as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::PeopleAdmin => "people:admin",
            Self::Read => "read",
        }
    }
}

/// A key to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateApiKey {
    /// What it is for: 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60, example = "backup job", format = "line")]
    pub name: String,
    /// Days until it expires, at most 3650. Without it, or 0: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 3650)]
    pub expires_in_days: Option<u32>,
    /// What it may be used for.
    #[serde(default)]
    #[schema(required = false, default = "full")]
    pub scope: KeyScope,
}

impl Validate for CreateApiKey {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 1, MAX_KEY_NAME);
        faults.check(
            self.expires_in_days.is_none_or(|days| days <= MAX_KEY_DAYS),
            "expires_in_days",
            format!("must be at most {MAX_KEY_DAYS}"),
        );
    }
}

/// A key, without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Its id, to revoke it by.
    pub id: ObjectId,
    /// What it is for.
    pub name: String,
    /// Its first 12 characters, to tell keys apart.
    pub key_prefix: String,
    /// What it may be used for.
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A new key. This is the only time that it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewApiKey {
    /// What is known of it later.
    #[serde(flatten)]
    pub about: ApiKey,
    /// `vsay_` and 48 hex characters, for `Authorization: Bearer`.
    #[schema(value_type = String)]
    pub key: Secret,
}

/// An account's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyList {
    /// Oldest first.
    pub keys: Vec<ApiKey>,
    /// How many there are.
    pub total: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_a_name_and_ends_within_ten_years_if_it_does() {
        let fields = |text: &str| {
            let mut faults = Faults::default();
            serde_json::from_str::<CreateApiKey>(text)
                .unwrap()
                .validate(&mut faults);
            faults
                .into_vec()
                .into_iter()
                .map(|fault| fault.field)
                .collect::<Vec<_>>()
        };
        assert!(fields(r#"{"name":"ci"}"#).is_empty());
        assert!(fields(r#"{"name":"ci","expires_in_days":0,"scope":"read"}"#).is_empty());
        assert_eq!(
            fields(r#"{"name":" ","expires_in_days":3651}"#),
            ["name", "expires_in_days"]
        );
    }
}
