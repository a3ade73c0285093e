//! Signing in, in the form of `/v1`. These types describe bodies that are made from those of `/api`; nothing encodes or decodes them.
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Tenant;

/// Who signs in.
#[derive(Debug, ToSchema)]
pub struct V1Login {
    /// The mail address, or the username.
    #[schema(min_length = 1, max_length = 254, format = "line")]
    pub email: String,
    /// The password.
    #[schema(min_length = 1, max_length = 1024)]
    pub password: String,
}

/// A token to be renewed.
#[derive(Debug, ToSchema)]
pub struct V1Refresh {
    /// What the sign-in, or the last renewal, answered as this.
    #[schema(min_length = 1, max_length = 8192)]
    pub refresh_token: String,
}

/// Whose sign-in it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct V1SignedInUser {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// The mail address.
    pub email: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// The organization's id.
    pub organization_id: String,
}

/// A sign-in that is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct V1SignedIn {
    /// The bearer token.
    pub token: String,
    /// What renews it, as long as it has not expired: the same token.
    pub refresh_token: String,
    /// When both are worth nothing any more.
    pub expires_at: DateTime<Utc>,
    /// Whether a new password must be chosen first: `POST /api/auth/change-password`.
    pub must_reset_password: bool,
    /// Whose it is.
    pub user: V1SignedInUser,
}

/// A sign-in that needs a choice or a code first, and goes on at `/api/auth/select-tenant` or `/api/auth/mfa/verify`.
#[derive(Debug, Serialize, ToSchema)]
pub struct V1Challenge {
    /// What proves the sign-in so far.
    pub session_token: String,
    /// The organizations that it opens.
    pub tenants: Vec<Tenant>,
    /// Whether one of them is to be chosen.
    #[schema(required = false, nullable = false)]
    pub requires_tenant_selection: Option<bool>,
    /// Whether a code is needed.
    #[schema(required = false, nullable = false)]
    pub mfa_required: Option<bool>,
    /// What the code is sent with.
    #[schema(required = false, nullable = false)]
    pub mfa_token: Option<String>,
}

/// What a sign-in answers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum V1LoginAnswer {
    /// Done.
    SignedIn(V1SignedIn),
    /// Not yet.
    Challenge(V1Challenge),
}

/// A renewed token.
#[derive(Debug, ToSchema)]
pub struct V1Refreshed {
    /// The bearer token.
    pub token: String,
    /// What renews it.
    pub refresh_token: String,
    /// When both are worth nothing any more.
    pub expires_at: DateTime<Utc>,
}

/// An organization by name.
#[derive(Debug, ToSchema)]
pub struct V1OrganizationName {
    /// Its id, which is its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// The account that calls.
#[derive(Debug, ToSchema)]
pub struct V1Me {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// The mail address.
    pub email: String,
    /// First and last name, or else the username.
    pub name: String,
    /// `admin`, `member`, or `super_admin`.
    pub role: String,
    /// The organization.
    pub organization: V1OrganizationName,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What a provider sent a browser back with.
#[derive(Debug, ToSchema)]
pub struct V1OidcCallback {
    /// To be traded for the person's mail address.
    #[schema(min_length = 1, max_length = 8192)]
    pub code: String,
    /// The state that came with it.
    #[schema(min_length = 1)]
    pub state: String,
    /// `azure`, `okta`, `google`, or `github`.
    #[schema(pattern = "^(azure|okta|google|github)$")]
    pub provider: String,
}
