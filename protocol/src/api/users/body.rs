//! What is answered about people.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::auth::{Role, RoleRef};
use crate::api::roles::RoleDefinition;
use crate::api::secret::Secret;
use crate::ids::ObjectId;

/// An account as others see it: the union of the shapes that the published APIs give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The account.
    pub id: ObjectId,
    /// Its number, for the routes that want one.
    pub int_id: i64,
    /// Its name, unique everywhere.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// What people call its owner: as chosen, else both names, else nothing.
    pub display_name: Option<String>,
    /// A picture.
    pub avatar_url: Option<String>,
    /// The organization's slug.
    pub tenant_id: String,
    /// The organization's name.
    pub tenant_name: String,
    /// What it may do.
    pub role: Role,
    /// Whether its shells may gain privileges where no grant says otherwise: `allow_sudo`, `non_sudo` or empty.
    pub machine_role: String,
    /// The same in the words of the published documents: `sudo`, `non-sudo` or empty.
    pub machine_role_name: String,
    /// Names of its groups, in order.
    pub groups: Vec<String>,
    /// The same groups, in the same order.
    pub group_ids: Vec<ObjectId>,
    /// Roles it was given, beside `role`, in the order of their numbers.
    pub roles: Vec<RoleRef>,
    /// Whether the mail address was proven.
    pub email_verified: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// The same, under another name.
    pub is_active: bool,
    /// Whether it was invited and has not accepted yet.
    pub pending: bool,
    /// Always empty: for clients that expect it.
    pub keycloak_id: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// When it signed in last; nothing for callers who may not see the users.
    pub last_login: Option<DateTime<Utc>>,
    /// The same, under another name.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the invitation was accepted; nothing for callers who may not see the users.
    pub invite_accepted_at: Option<DateTime<Utc>>,
    /// Whether its owner must choose a password before anything else; nothing for callers who may not see the users.
    pub must_reset_password: Option<bool>,
    /// Whether a second factor protects it; nothing for callers who may not see the users.
    pub mfa_enabled: Option<bool>,
}

/// One account with what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonDetail {
    /// The account.
    pub user: Person,
    /// Its fields once more.
    #[serde(flatten)]
    pub flat: Person,
    /// What it may do, sorted; `*` is everything. Nothing for callers who may not see the users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

impl PersonDetail {
    /// An account, wrapped and flat.
    pub fn new(user: Person, permissions: Option<Vec<String>>) -> Self {
        Self {
            flat: user.clone(),
            user,
            permissions,
        }
    }
}

/// Accounts, in the order of their numbers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct People {
    /// The accounts of this page.
    pub users: Vec<Person>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// The same, under another name.
    pub per_page: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// An invitation. Whoever has the token can accept it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Invited {
    /// `invited` or `invite_resent`.
    pub status: String,
    /// The account, which waits for its owner.
    pub user: Person,
    /// Whether it was mailed. If not, pass the link on yourself.
    pub invite_sent: bool,
    /// What accepts it.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The same, under another name.
    #[schema(value_type = String)]
    pub invite_token: Secret,
    /// The page that accepts it, if this server knows its own address.
    #[schema(value_type = Option<String>)]
    pub invite_url: Option<Secret>,
}

/// An account is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deactivated {
    /// For people.
    pub message: String,
    /// `deactivated`.
    pub status: String,
}

/// The roles of one account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PersonRoles {
    /// The account.
    pub user_id: ObjectId,
    /// Its name.
    pub username: String,
    /// The names of all its roles; the one it has in its organization is the first.
    pub roles: Vec<String>,
    /// What it is in its organization.
    pub portal_role: RoleDefinition,
    /// Its role on machines, if it has one.
    pub machine_role: Option<RoleDefinition>,
    /// The numbers of the roles it was given.
    pub role_ids: Vec<i64>,
}

/// An account whose roles were changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RolesAssigned {
    /// For people.
    pub message: String,
    /// What it is in its organization now.
    pub portal_role: Role,
    /// The account.
    pub user: Person,
    /// Its fields once more.
    #[serde(flatten)]
    pub flat: Person,
}
