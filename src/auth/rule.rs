//! Who may call what: one line per operation, and the only place that says so. [`Credentials`](super::caller::Credentials)
//! looks its operation up here, and no caller comes out of them whom the rule does not let pass. A test holds this table
//! against the API document, so an operation without a line does not get far.
use axum::http::{HeaderMap, Method};

use super::permission::Permission as P;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Anybody. What the operation needs to know of its caller, such as a password or a mailed token, is in the request.
    Open,
    /// The agent of a machine, with its own kind of token.
    Agent,
    /// Anybody who is signed in; it concerns nobody but the caller, or gives each caller what that caller may see.
    SignedIn,
    /// The same, and a personal key does not do: what would let a program keep or widen its hold on the account, such as
    /// another key or a new password.
    InPerson,
    /// Anybody who is signed in, as far as the object that the request names allows (`auth/access`).
    Object,
    /// Whoever holds a permission in the organization; administrators hold all.
    Needs(P),
    /// The same, of an operation that was published as one for administrators: who is refused is told so.
    AdminOr(P),
    /// Administrators of the organization.
    Admin,
    /// Super administrators.
    SuperAdmin,
}

/// Whether an operation changes something, for keys that may only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing changes.
    Reads,
    /// Something may.
    Writes,
}

/// The table: method, path as the API document writes it, rule.
const RULES: &[(Method, &str, Rule)] = &[
    (Method::GET, "/health", Rule::Open),
    // Signing up and in.
    (Method::POST, "/api/signup", Rule::Open),
    (Method::POST, "/api/auth/signup", Rule::Open),
    (Method::GET, "/api/auth/setup-required", Rule::Open),
    (Method::GET, "/api/auth/status", Rule::Open),
    (Method::POST, "/api/auth/setup", Rule::Open),
    (Method::POST, "/api/login", Rule::Open),
    (Method::POST, "/api/auth/login", Rule::Open),
    (Method::POST, "/api/auth/select-tenant", Rule::Open),
    (Method::POST, "/api/auth/verify-otp", Rule::Open),
    (Method::POST, "/api/auth/mfa/verify", Rule::Open),
    (Method::POST, "/api/auth/refresh", Rule::Open),
    (Method::POST, "/api/auth/logout", Rule::InPerson),
    (Method::GET, "/api/auth/me", Rule::SignedIn),
    // Passwords, and what is sent by mail.
    (Method::POST, "/api/auth/change-password", Rule::InPerson),
    (Method::POST, "/api/users/password", Rule::InPerson),
    (Method::POST, "/api/auth/forgot-password", Rule::Open),
    (Method::POST, "/api/auth/password-reset/{token}", Rule::Open),
    (Method::POST, "/api/auth/reset-password", Rule::Open),
    (Method::POST, "/api/auth/invite/{token}", Rule::Open),
    (Method::POST, "/api/auth/accept-invite", Rule::Open),
    (Method::POST, "/api/auth/verify-email/{token}", Rule::Open),
    (Method::POST, "/api/auth/verify-email", Rule::SignedIn),
    // The second factor.
    (Method::GET, "/api/auth/mfa/status", Rule::SignedIn),
    (Method::POST, "/api/auth/mfa/enroll", Rule::InPerson),
    (Method::POST, "/api/auth/mfa/confirm", Rule::InPerson),
    (Method::POST, "/api/auth/mfa/disable", Rule::InPerson),
    (Method::POST, "/api/auth/mfa/backup-codes/regenerate", Rule::InPerson),
    (Method::DELETE, "/api/users/{user_id}/mfa", Rule::Needs(P::UsersEdit)),
    // Signing in with another provider.
    (Method::GET, "/api/oidc/providers", Rule::Open),
    (Method::GET, "/api/auth/oidc/microsoft", Rule::Open),
    (Method::GET, "/api/auth/oidc/microsoft/callback", Rule::Open),
    (Method::GET, "/api/auth/oidc/github", Rule::Open),
    (Method::GET, "/api/auth/oidc/github/callback", Rule::Open),
    (Method::GET, "/api/auth/oidc/sso", Rule::Open),
    (Method::GET, "/api/auth/oidc/sso/callback", Rule::Open),
    // Personal API keys.
    (Method::GET, "/api/api-keys", Rule::SignedIn),
    (Method::POST, "/api/api-keys", Rule::InPerson),
    (Method::DELETE, "/api/api-keys/{key_id}", Rule::InPerson),
    // One's own profile.
    (Method::GET, "/api/profile", Rule::SignedIn),
    (Method::GET, "/api/users/me", Rule::SignedIn),
    (Method::PUT, "/api/users/profile", Rule::InPerson),
    (Method::PUT, "/api/auth/me", Rule::InPerson),
    (Method::POST, "/api/profile/regenerate-api-key", Rule::InPerson),
    (Method::POST, "/api/profile/reset-password", Rule::InPerson),
    (Method::POST, "/api/profile/upload-avatar", Rule::SignedIn),
    (Method::DELETE, "/api/profile/avatar", Rule::SignedIn),
    (Method::GET, "/api/avatars/{avatar_id}", Rule::Open),
    // SSH keys.
    (Method::POST, "/api/auth/me/ssh-key", Rule::InPerson),
    (Method::GET, "/api/auth/me/ssh-key", Rule::SignedIn),
    (Method::DELETE, "/api/auth/me/ssh-key", Rule::InPerson),
    (Method::GET, "/api/auth/ssh-keys", Rule::SignedIn),
    // People.
    (Method::GET, "/api/users", Rule::AdminOr(P::UsersView)),
    (Method::POST, "/api/users", Rule::AdminOr(P::UsersCreate)),
    (Method::POST, "/api/users/invite", Rule::AdminOr(P::UsersCreate)),
    (Method::GET, "/api/users/{user_id}", Rule::Object),
    (Method::PUT, "/api/users/{user_id}", Rule::AdminOr(P::UsersEdit)),
    (Method::DELETE, "/api/users/{user_id}", Rule::AdminOr(P::UsersDelete)),
    (
        Method::POST,
        "/api/users/{user_id}/resend-invite",
        Rule::AdminOr(P::UsersCreate),
    ),
    (
        Method::POST,
        "/api/users/{user_id}/reset-password",
        Rule::Needs(P::UsersEdit),
    ),
    (Method::GET, "/api/users/{user_id}/groups", Rule::Object),
    (Method::GET, "/api/users/{user_id}/roles", Rule::Object),
    (
        Method::POST,
        "/api/users/{user_id}/roles",
        Rule::AdminOr(P::UsersAssignRoles),
    ),
    (
        Method::PUT,
        "/api/users/{user_id}/roles",
        Rule::AdminOr(P::UsersAssignRoles),
    ),
    (Method::GET, "/api/roles/users/{user_id}", Rule::Object),
    (
        Method::POST,
        "/api/roles/users/{user_id}/roles",
        Rule::AdminOr(P::UsersAssignRoles),
    ),
    // Roles.
    (Method::GET, "/api/roles", Rule::SignedIn),
    (Method::GET, "/api/roles/portal", Rule::SignedIn),
    (Method::GET, "/api/roles/machine", Rule::SignedIn),
    (Method::GET, "/api/roles/permissions", Rule::Needs(P::RolesView)),
    (Method::GET, "/api/roles/{role_id}", Rule::Needs(P::RolesView)),
    (Method::POST, "/api/roles", Rule::Needs(P::RolesCreate)),
    (Method::PUT, "/api/roles/{role_id}", Rule::Needs(P::RolesEdit)),
    (Method::DELETE, "/api/roles/{role_id}", Rule::Needs(P::RolesDelete)),
    // Machines.
    (Method::GET, "/api/machines", Rule::SignedIn),
    (Method::POST, "/api/machines", Rule::SignedIn),
    (Method::GET, "/api/machines/{agent_id}", Rule::Object),
    (Method::DELETE, "/api/machines/{agent_id}", Rule::Object),
    (Method::GET, "/api/machines/by-id/{machine_id}", Rule::Object),
    (
        Method::POST,
        "/api/machines/{agent_id}/registration-token",
        Rule::Object,
    ),
    (Method::GET, "/api/machines/{agent_id}/access/users", Rule::Object),
    (Method::POST, "/api/machines/{agent_id}/access/grant", Rule::Object),
    (Method::POST, "/api/machines/{agent_id}/access/revoke", Rule::Object),
    // Groups.
    (Method::GET, "/api/groups", Rule::SignedIn),
    (Method::POST, "/api/groups", Rule::Admin),
    (Method::GET, "/api/groups/{group_id}", Rule::Object),
    (Method::PUT, "/api/groups/{group_id}", Rule::Admin),
    (Method::DELETE, "/api/groups/{group_id}", Rule::Admin),
    (Method::GET, "/api/groups/{group_id}/members", Rule::Object),
    (Method::POST, "/api/groups/{group_id}/members", Rule::Admin),
    (Method::DELETE, "/api/groups/{group_id}/members", Rule::Admin),
    (Method::GET, "/api/groups/{group_id}/machines", Rule::Object),
    (Method::POST, "/api/groups/{group_id}/machines", Rule::Admin),
    (
        Method::DELETE,
        "/api/groups/{group_id}/machines/{machine_id}",
        Rule::Admin,
    ),
    // Organizations.
    (Method::GET, "/api/organization", Rule::Admin),
    (Method::PUT, "/api/organization", Rule::Admin),
    (Method::GET, "/api/admin/organizations", Rule::SuperAdmin),
    (Method::POST, "/api/admin/organizations", Rule::SuperAdmin),
    (
        Method::GET,
        "/api/admin/organizations/{organization_id}",
        Rule::SuperAdmin,
    ),
    (
        Method::PUT,
        "/api/admin/organizations/{organization_id}",
        Rule::SuperAdmin,
    ),
    (
        Method::DELETE,
        "/api/admin/organizations/{organization_id}",
        Rule::SuperAdmin,
    ),
    (
        Method::GET,
        "/api/admin/organizations/{organization_id}/stats",
        Rule::SuperAdmin,
    ),
    (
        Method::GET,
        "/api/admin/organizations/{organization_id}/users",
        Rule::SuperAdmin,
    ),
    (
        Method::GET,
        "/api/admin/organizations/{organization_id}/groups",
        Rule::SuperAdmin,
    ),
    // Terminals.
    (Method::GET, "/api/terminal/{agent_id}/ws", Rule::Object),
    (Method::GET, "/api/terminal/sessions", Rule::SignedIn),
    (Method::DELETE, "/api/terminal/sessions/{session_id}", Rule::Object),
    // The audit log.
    (Method::GET, "/api/audit", Rule::AdminOr(P::SystemAuditLog)),
    (Method::GET, "/api/audit-logs", Rule::AdminOr(P::SystemAuditLog)),
    (Method::GET, "/api/audit/tenants", Rule::Admin),
    (Method::GET, "/api/audit-logs/tenants", Rule::Admin),
    (Method::GET, "/api/audit/export", Rule::AdminOr(P::SystemAuditLog)),
    (Method::GET, "/api/audit/verify", Rule::AdminOr(P::SystemAuditLog)),
    // Files.
    (Method::GET, "/api/users/export", Rule::Needs(P::UsersView)),
    // Agents.
    (Method::POST, "/agent/enroll", Rule::Open),
    (Method::GET, "/agent/connect", Rule::Agent),
];

/// What an account may do whose password somebody else chose, until it has chosen one itself: see that it must, do it, and
/// sign out. (Renewing a token is open.)
const BEFORE_PASSWORD_CHANGE: &[(Method, &str)] = &[
    (Method::GET, "/api/auth/me"),
    (Method::GET, "/api/users/me"),
    (Method::GET, "/api/profile"),
    (Method::POST, "/api/auth/change-password"),
    (Method::POST, "/api/users/password"),
    (Method::POST, "/api/profile/reset-password"),
    (Method::POST, "/api/auth/logout"),
];

/// What is asked of the caller of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Who may call it.
    pub rule: Rule,
    /// What it does.
    pub effect: Effect,
    /// Whether somebody may call it who must choose a password first.
    pub before_password_change: bool,
}

/// The operation of a request; none if nobody decided about it.
pub fn operation(method: &Method, path: &str, headers: &HeaderMap) -> Option<Operation> {
    Some(Operation {
        rule: rule(method, path)?,
        effect: effect(method, headers),
        before_password_change: BEFORE_PASSWORD_CHANGE
            .iter()
            .any(|(of, at)| of == read(method) && *at == path),
    })
}

/// An answer without its body is read by whoever may read it with.
fn read(method: &Method) -> &Method {
    if method == Method::HEAD { &Method::GET } else { method }
}

fn rule(method: &Method, path: &str) -> Option<Rule> {
    RULES
        .iter()
        .find(|(of, at, _)| of == read(method) && *at == path)
        .map(|(_, _, rule)| *rule)
}

/// What a request does. One that asks for a WebSocket may do anything afterwards.
fn effect(method: &Method, headers: &HeaderMap) -> Effect {
    if read(method) == Method::GET && !headers.contains_key("upgrade") {
        Effect::Reads
    } else {
        Effect::Writes
    }
}

#[cfg(test)]
mod tests;
