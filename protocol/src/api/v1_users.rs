//! People in the form of `/v1`. These types describe bodies that are made from those of `/api`; nothing encodes or decodes them.
use chrono::{DateTime, Utc};
use utoipa::ToSchema;

use super::v1::V1Pagination;

/// Somebody in a list.
#[derive(Debug, ToSchema)]
pub struct V1Person {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// The mail address.
    pub email: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// `active`, `pending` before an invitation is accepted, or `disabled`.
    pub status: String,
    /// When they last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// People, those first who came first.
#[derive(Debug, ToSchema)]
pub struct V1People {
    /// The people.
    pub users: Vec<V1Person>,
    /// Which part of the list it is.
    pub pagination: V1Pagination,
}

/// What somebody may do.
#[derive(Debug, ToSchema)]
pub struct V1Permissions {
    /// With machines: `view`, `connect` and, for administrators, `manage`. A member's are those they own or were given.
    pub machines: Vec<String>,
    /// With people: `view`, `create`, `edit`, `delete`, `assign_roles`.
    pub users: Vec<String>,
    /// With sessions: `view` and `end`. A member's are their own and those on their machines.
    pub sessions: Vec<String>,
}

/// A machine that somebody was lent.
#[derive(Debug, ToSchema)]
pub struct V1LentMachine {
    /// `mch_` and the machine's `id`.
    pub machine_id: String,
    /// The machine's public name.
    pub agent_id: String,
    /// Always `full`.
    pub access_level: String,
}

/// One account. Colleagues are not told what it may do.
#[derive(Debug, ToSchema)]
pub struct V1PersonDetail {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// The mail address.
    pub email: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// `active`, `pending` before an invitation is accepted, or `disabled`.
    pub status: String,
    /// When they last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// What they may do.
    pub permissions: Option<V1Permissions>,
    /// What they were lent, one by one; groups and approved requests are further ways to a machine.
    pub machine_access: Option<Vec<V1LentMachine>>,
}

/// Somebody to be invited.
#[derive(Debug, ToSchema)]
pub struct V1Invite {
    /// Where the invitation is mailed to.
    #[schema(max_length = 254, format = "mail")]
    pub email: String,
    /// `admin` or `member`.
    #[schema(pattern = "^(admin|member)$")]
    pub role: String,
    /// First and last name.
    #[schema(max_length = 100, format = "line")]
    pub name: Option<String>,
    /// Machines to lend them, by id or `agent_id`. The caller must manage each.
    #[schema(max_items = 20, min_length = 1)]
    pub machine_ids: Option<Vec<String>>,
}

/// An invitation that was sent.
#[derive(Debug, ToSchema)]
pub struct V1Invitation {
    /// What sends it again: `usr_` and the `id` of the account that waits.
    pub invitation_id: String,
    /// Where it was mailed to.
    pub email: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// Whether the mail went out.
    pub invite_sent: bool,
    /// The link in it, for whoever hands it over; null where this server sends no mail.
    pub invite_url: Option<String>,
}

/// A change of an account. What is left out stays.
#[derive(Debug, ToSchema)]
pub struct V1UpdateUser {
    /// First and last name.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// `admin` or `member`.
    #[schema(pattern = "^(admin|member)$")]
    pub role: Option<String>,
}

/// An account that was changed.
#[derive(Debug, ToSchema)]
pub struct V1UserUpdated {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// When that was.
    pub updated_at: DateTime<Utc>,
}

/// A machine that somebody is to have.
#[derive(Debug, ToSchema)]
pub struct V1Access {
    /// Its id, with or without `mch_`, or its `agent_id`.
    #[schema(min_length = 1)]
    pub machine_id: String,
    /// `full`: whoever may use a machine may do all there.
    #[schema(pattern = "^full$")]
    pub access_level: String,
}

/// What somebody is to be lent: these machines and no others.
#[derive(Debug, ToSchema)]
pub struct V1SetAccess {
    /// The machines. A request changes 20 at most.
    #[schema(max_items = 1000)]
    pub machine_access: Vec<V1Access>,
}
