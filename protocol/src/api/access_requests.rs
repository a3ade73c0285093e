//! Asking for a machine, and what becomes of it.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::MachineRole;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// Longest time that can be asked for, in hours: a year (contract). 0 asks for a time without end.
pub const MAX_HOURS: u32 = 8760;

/// Longest reason, and longest comment on a refusal, in characters: a few sentences, as they also stand in letters.
pub const MAX_NOTE: usize = 1000;

/// Longest name of a machine in a request; ids and public names are shorter.
const MAX_MACHINE: usize = 64;

/// Asks for a machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateAccessRequest {
    /// The machine, by its `id` or its `agent_id`.
    #[schema(required, max_length = 64, min_length = 1, format = "line")]
    pub machine_id: String,
    /// For how many hours from the approval on; 0 has no end.
    #[schema(minimum = 0, maximum = 8760)]
    pub duration_hours: u32,
    /// Why, for whoever decides.
    #[schema(max_length = 1000)]
    pub request_note: String,
    /// `allow_sudo` (`sudo`) asks for privileges for shells, too. Any other role, or none, asks for what the account has.
    #[schema(pattern = "^(|allow_sudo|sudo|non_sudo|non-sudo|user)$")]
    pub machine_role: String,
}

impl CreateAccessRequest {
    /// Whether it asks for privileges.
    pub fn sudo(&self) -> bool {
        MachineRole::parse(&self.machine_role) == Some(MachineRole::AllowSudo)
    }
}

impl Validate for CreateAccessRequest {
    fn validate(&self, faults: &mut Faults) {
        faults.line("machine_id", &self.machine_id, 1, MAX_MACHINE);
        faults.check(
            self.duration_hours <= MAX_HOURS,
            "duration_hours",
            format!("must be 1 to {MAX_HOURS}, or 0 for no end"),
        );
        faults.text("request_note", &self.request_note, MAX_NOTE);
        faults.check(
            self.machine_role.is_empty() || MachineRole::parse(&self.machine_role).is_some(),
            "machine_role",
            "must be allow_sudo, non_sudo or empty",
        );
    }
}

/// Refuses a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RejectAccessRequest {
    /// Why, for whoever asked.
    #[schema(max_length = 1000, min_length = 1, format = "text-with-ink")]
    pub comment: String,
}

impl Validate for RejectAccessRequest {
    fn validate(&self, faults: &mut Faults) {
        faults.check(!self.comment.trim().is_empty(), "comment", "is required");
        faults.text("comment", &self.comment, MAX_NOTE);
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessRequestStatus {
    /// Nobody has decided yet.
    Pending,
    /// Whoever asked may use the machine.
    Approved,
    /// It was refused.
    Rejected,
    /// It was approved, for a time that is over.
    Expired,
    /// It was approved and taken back.
    Revoked,
}

impl AccessRequestStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Revoked,
    ];

    /// The word that travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The state of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Somebody's request for a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessRequest {
    /// Its id.
    pub id: ObjectId,
    /// The machine.
    pub machine_id: ObjectId,
    /// Its name as it is now.
    pub machine_name: String,
    /// Its public name.
    pub machine_agent_id: AgentId,
    /// Who asked.
    pub requester_id: ObjectId,
    /// Their name.
    pub requester_username: String,
    /// Their mail address.
    pub requester_email: String,
    /// The slug of the machine's organization.
    pub tenant_id: String,
    /// Whose machine it is now.
    pub owner_id: ObjectId,
    /// Their name.
    pub owner_username: String,
    /// Their mail address.
    pub owner_email: String,
    /// Why.
    pub request_note: String,
    /// `allow_sudo` if privileges for shells were asked for, or else empty: what the account has.
    pub machine_role: String,
    /// For how many hours from the approval on; 0 has no end.
    pub duration_hours: u32,
    /// What became of it.
    pub status: AccessRequestStatus,
    /// Who approved it, by name.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it ends, if it was approved for a time.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who refused it, by name.
    pub rejected_by: Option<String>,
    /// Why; empty unless it was refused.
    pub reject_comment: String,
    /// Who took it back, by name.
    pub revoked_by: Option<String>,
    /// When.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub requested_at: DateTime<Utc>,
    /// When something of it changed last.
    pub updated_at: DateTime<Utc>,
}

/// A page of requests, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessRequestList {
    /// The requests.
    pub requests: Vec<AccessRequest>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// What was done to a request, and the request as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessRequestChanged {
    /// For people.
    pub message: String,
    /// The request.
    pub request: AccessRequest,
}

/// How many requests wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingCount {
    /// The number.
    pub count: u64,
}

/// A machine that the caller can ask for: as much of it as everybody in its organization may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskableMachine {
    /// Its id.
    pub machine_id: ObjectId,
    /// Its public name.
    pub agent_id: AgentId,
    /// Its name.
    pub name: String,
    /// The name of its owner.
    pub owner: String,
    /// Whether the caller has asked for it already.
    pub pending: bool,
}

/// A page of them, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskableMachineList {
    /// The machines.
    pub machines: Vec<AskableMachine>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn a_request_names_a_machine_and_a_time_within_bounds() {
        let faults = refused_fields::<CreateAccessRequest>;
        assert_eq!(faults("{}"), ["machine_id"]);
        for good in [
            r#"{"machine_id":"m"}"#,
            r#"{"machine_id":"m","duration_hours":8760,"request_note":"a\nb","machine_role":"sudo"}"#,
        ] {
            assert!(faults(good).is_empty(), "{good}");
        }
        assert_eq!(
            faults(r#"{"machine_id":"m","duration_hours":8761}"#),
            ["duration_hours"]
        );
        assert_eq!(faults(r#"{"machine_id":"m","machine_role":"root"}"#), ["machine_role"]);
        let long = format!(r#"{{"machine_id":"m","request_note":"{}"}}"#, "a".repeat(MAX_NOTE + 1));
        assert_eq!(faults(&long), ["request_note"]);
    }

    #[test]
    fn only_the_role_with_privileges_asks_for_more() {
        for (role, sudo) in [
            ("", false),
            ("sudo", true),
            ("allow_sudo", true),
            ("non-sudo", false),
            ("user", false),
        ] {
            let request = CreateAccessRequest {
                machine_role: role.into(),
                ..Default::default()
            };
            assert_eq!(request.sudo(), sudo, "{role}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let faults = refused_fields::<RejectAccessRequest>;
        assert!(faults(r#"{"comment":"no"}"#).is_empty());
        assert_eq!(faults(r#"{"comment":" \n"}"#), ["comment"]);
    }
}
