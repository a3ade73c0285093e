//! Sharing a terminal while it runs.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId, SessionId};
use crate::terminal::presence::Presence;

/// The shortest time for which somebody can be invited, in seconds.
pub const MIN_SECONDS: u32 = 60;

/// The longest, in seconds: a week. A session that nobody is at ends after a day, and one that lasts can be shared anew.
pub const MAX_SECONDS: u32 = 7 * 24 * 3600;

/// For how long a link is good if nobody says, in seconds: long enough to be sent and opened.
pub const LINK_SECONDS: u32 = 3600;

/// Longest id or username.
const MAX_NAME: usize = 64;

/// Longest token of a link that is looked at.
const MAX_TOKEN: usize = 128;

/// Invites somebody of the organization. One of `user_id` and `username` is needed; `user_id` wins.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateShare {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub user_id: Option<String>,
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub username: Option<String>,
    /// Whether they may type. What they type is run as the session's owner, with all that the owner may do on the machine.
    pub can_type: bool,
    /// After how many seconds it ends; with the session, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 604800)]
    pub expires_in: Option<u32>,
}

impl Validate for CreateShare {
    fn validate(&self, faults: &mut Faults) {
        for (field, value) in [("user_id", &self.user_id), ("username", &self.username)] {
            if let Some(value) = value {
                faults.line(field, value, 1, MAX_NAME);
            }
        }
        faults.check(
            self.user_id.is_some() || self.username.is_some(),
            "user_id",
            "is required, or username in its place",
        );
        duration(faults, self.expires_in);
    }
}

/// Makes a link that invites whoever of the organization opens it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateShareLink {
    /// Whether they may type.
    pub can_type: bool,
    /// After how many seconds the link, and what anybody got by it, ends; 3600 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 604800)]
    pub expires_in: Option<u32>,
}

impl Validate for CreateShareLink {
    fn validate(&self, faults: &mut Faults) {
        duration(faults, self.expires_in);
    }
}

fn duration(faults: &mut Faults, seconds: Option<u32>) {
    faults.check(
        seconds.is_none_or(|seconds| (MIN_SECONDS..=MAX_SECONDS).contains(&seconds)),
        "expires_in",
        format!("must be {MIN_SECONDS} to {MAX_SECONDS} seconds"),
    );
}

/// Accepts a link.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JoinShare {
    /// The token of the link.
    #[schema(value_type = String, max_length = 128)]
    pub token: Secret,
}

impl Validate for JoinShare {
    fn validate(&self, faults: &mut Faults) {
        faults.check(
            self.token.expose().len() <= MAX_TOKEN,
            "token",
            format!("must have at most {MAX_TOKEN} bytes"),
        );
    }
}

/// Somebody who was invited, or a link that invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// What to name it by.
    pub id: ObjectId,
    /// Who was invited; null of a link.
    pub user_id: Option<ObjectId>,
    /// By which name.
    pub username: Option<String>,
    /// The link by which they came, if by one.
    pub link_id: Option<ObjectId>,
    /// Whether they may type.
    pub can_type: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it ends; with the session, if null.
    pub expires_at: Option<DateTime<Utc>>,
}

/// How a session is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareList {
    /// Who was invited, and by which links, the oldest first.
    pub shares: Vec<Share>,
    /// Who is there now: the owner first.
    pub people: Vec<Presence>,
}

/// Somebody was invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareCreated {
    /// The invitation.
    pub share: Share,
}

/// A link was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareLinkCreated {
    /// The link as it is listed.
    pub share: Share,
    /// What accepts it, shown once.
    #[schema(value_type = String, pattern = "^[0-9a-f]{48}$")]
    pub token: Secret,
    /// The page of the console that does so.
    #[schema(value_type = String)]
    pub url: Secret,
}

/// A session of somebody else's that one was invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedSession {
    /// The invitation.
    pub id: ObjectId,
    /// The session's name.
    pub session_id: SessionId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// What people call the machine.
    pub machine_name: String,
    /// Whose session it is, by name.
    pub owner: String,
    /// Whether one may type.
    pub can_type: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it ends; with the session, if null.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Sessions that one was invited to, the newest invitation first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedSessionList {
    /// The sessions, all of which run.
    pub shares: Vec<SharedSession>,
}

/// A session that one was invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedSessionDetail {
    /// It.
    pub share: SharedSession,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn an_invitation_names_somebody_and_a_time_within_bounds() {
        let fields = refused_fields::<CreateShare>;
        assert_eq!(fields("{}"), ["user_id"]);
        assert_eq!(fields(r#"{"username":"","expires_in":59}"#), ["username", "expires_in"]);
        assert_eq!(fields(r#"{"user_id":"a","expires_in":604801}"#), ["expires_in"]);
        assert!(fields(r#"{"username":"ann","expires_in":60}"#).is_empty());
        let share: CreateShare = serde_json::from_str(r#"{"username":"ann"}"#).unwrap();
        assert!(!share.can_type, "who is not said to type watches");
    }

    #[test]
    fn a_link_has_a_time_within_bounds() {
        let fields = refused_fields::<CreateShareLink>;
        assert!(fields("{}").is_empty());
        assert_eq!(fields(r#"{"expires_in":0}"#), ["expires_in"]);
    }
}
