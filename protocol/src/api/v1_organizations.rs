//! Organizations in the form of `/v1`. These types describe bodies that are made from those of `/api`; nothing encodes or decodes them.
use chrono::{DateTime, Utc};
use utoipa::ToSchema;

use super::v1::V1Pagination;
use super::v1_users::V1Invitation;

/// An organization in a list.
#[derive(Debug, ToSchema)]
pub struct V1Organization {
    /// Its id, which is its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The same as `id`.
    pub slug: String,
    /// Always null: there are no plans.
    pub plan: Option<String>,
    /// People.
    pub members_count: u64,
    /// Machines.
    pub machines_count: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Organizations, by slug.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationList {
    /// The organizations.
    pub organizations: Vec<V1Organization>,
    /// Which part of the list it is.
    pub pagination: V1Pagination,
}

/// How people sign in to an organization.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationSettings {
    /// Whether people may sign in with another provider. That is set for the whole server.
    pub oidc_enabled: bool,
    /// Which one.
    pub oidc_provider: Option<String>,
    /// Always empty: only accounts that are there may sign in.
    pub allowed_domains: Vec<String>,
    /// How long a sign-in lasts without a renewal, in seconds. That is set for the whole server.
    pub session_timeout: u64,
    /// Whether everybody needs a second factor.
    pub mfa_required: bool,
}

/// How large an organization may become.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationLimits {
    /// Always null: no limit.
    pub max_users: Option<u64>,
    /// Always null: no limit.
    pub max_machines: Option<u64>,
    /// Always null: no limit.
    pub max_sessions: Option<u64>,
}

/// How large an organization is.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationUsage {
    /// People.
    pub users: u64,
    /// Machines.
    pub machines: u64,
    /// Terminals that are open on them.
    pub active_sessions: u64,
}

/// One organization.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationDetail {
    /// Its id, which is its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The same as `id`.
    pub slug: String,
    /// Always null: there are no plans.
    pub plan: Option<String>,
    /// People.
    pub members_count: u64,
    /// Machines.
    pub machines_count: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How people sign in.
    pub settings: V1OrganizationSettings,
    /// How large it may become.
    pub limits: V1OrganizationLimits,
    /// How large it is.
    pub usage: V1OrganizationUsage,
}

/// An organization to be made, whose first administrator is invited.
#[derive(Debug, ToSchema)]
pub struct V1CreateOrganization {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// Its name in addresses.
    #[schema(min_length = 3, max_length = 100, format = "line-without-slash")]
    pub slug: String,
    /// Where the administrator's invitation is mailed to.
    #[schema(max_length = 254, format = "mail")]
    pub admin_email: String,
}

/// Settings to be changed.
#[derive(Debug, ToSchema)]
pub struct V1ChangeSettings {
    /// Whether everybody needs a second factor. This server must send mail, by which codes come.
    pub mfa_required: Option<bool>,
}

/// An organization that was made.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationCreated {
    /// Its id, which is its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The same as `id`.
    pub slug: String,
    /// Always null: there are no plans.
    pub plan: Option<String>,
    /// People.
    pub members_count: u64,
    /// Machines.
    pub machines_count: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How people sign in.
    pub settings: V1OrganizationSettings,
    /// How large it may become.
    pub limits: V1OrganizationLimits,
    /// How large it is.
    pub usage: V1OrganizationUsage,
    /// The invitation of its first administrator.
    pub admin_invitation: V1Invitation,
}

/// A change of an organization. What is left out stays.
#[derive(Debug, ToSchema)]
pub struct V1UpdateOrganization {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// How people sign in.
    pub settings: Option<V1ChangeSettings>,
}

/// A provider for one organization, as published.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationOidc {
    /// Whether people may sign in with it.
    pub enabled: bool,
    /// `okta`, `azure`, `google` or `custom`.
    pub provider: String,
    /// What the server is to the provider.
    pub client_id: String,
    /// Proves it.
    pub client_secret: String,
    /// Who the provider is.
    pub issuer_url: String,
}

/// Somebody of an organization.
#[derive(Debug, ToSchema)]
pub struct V1Member {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// The mail address.
    pub email: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// When they accepted the invitation, or else when the account was made.
    pub joined_at: DateTime<Utc>,
}

/// The people of an organization, those first who came first.
#[derive(Debug, ToSchema)]
pub struct V1Members {
    /// The people.
    pub members: Vec<V1Member>,
    /// Which part of the list it is.
    pub pagination: V1Pagination,
}
