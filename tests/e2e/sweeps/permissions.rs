//! What somebody without any rights may do in an organization, operation by operation, and what a program may do with a key of
//! theirs. The list is compared with the API document, so a new operation fails here until somebody has said who may call it.
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::support::account::{Account, Answer, send};
use crate::support::agent::{World, alerted, entered, job, logged, recording, requested, schedule, written};
use crate::support::openapi::{Operation, operations};
use crate::support::team::join;
use crate::support::viewer::Viewer;

/// What is answered to somebody who may administer nothing, about things of an administrator's that nobody shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// It is for everybody: this status.
    May(u16),
    /// The same, and a key does not do.
    InPerson(u16),
    /// It needs a right, which the refusal names.
    Needs(&'static str),
    /// It is refused for what it was asked of.
    Refused(u16, &'static str),
}
use Expected::{InPerson, May, Needs, Refused};

/// Asked of an object, and a key does not do.
const TICKET: &str = "POST /api/terminal/{agent_id}/ticket";

/// The same.
const LIVE_TICKET: &str = "POST /api/recordings/{recording_id}/ticket";

/// The same.
const SHARED_TICKET: &str = "POST /api/shares/{share_id}/ticket";

/// The same, of whoever may open terminals by SSH.
const SSH_TICKETS: [&str; 3] = [
    "POST /api/instances/ssh/{hostname}/ticket",
    "POST /api/inventory/server/ssh/{hostname}/ticket",
    "POST /api/inventory/ws/{object_id}/ticket",
];

/// What opens a socket, which keys do not get.
const TICKETS: [&str; 6] = [
    TICKET,
    LIVE_TICKET,
    SHARED_TICKET,
    SSH_TICKETS[0],
    SSH_TICKETS[1],
    SSH_TICKETS[2],
];

/// The form of `/v1` has no place for the name of a right.
const ADMIN: &str = "Admin access required";
const SUPER: &str = "Super admin access required";

const NOT_SHARED: &str = "This session is not shared with you, or it is over";
const NO_SSH: &str = "Permission denied: SSH access";
const NO_LINK: &str = "This link is not valid any more, or its session is over";

const OPERATIONS: &[(&str, Expected)] = &[
    ("GET /agent/connect", Refused(401, "Invalid or expired token")),
    ("GET /api/access-requests", Needs("administrators only")),
    ("POST /api/access-requests", Refused(404, "Machine not found")),
    ("GET /api/access-requests/machines", May(200)),
    ("GET /api/access-requests/my", May(200)),
    ("GET /api/access-requests/to-decide", May(200)),
    (
        "DELETE /api/access-requests/{request_id}",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/access-requests/{request_id}/approve",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/access-requests/{request_id}/reject",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/access-requests/{request_id}/revoke",
        Needs("administrators only"),
    ),
    ("GET /api/admin/organizations", Needs("super administrators only")),
    ("PUT /api/admin/branding", Needs("super administrators only")),
    ("POST /api/admin/organizations", Needs("super administrators only")),
    (
        "GET /api/admin/organizations/{organization_id}",
        Needs("super administrators only"),
    ),
    (
        "PUT /api/admin/organizations/{organization_id}",
        Needs("super administrators only"),
    ),
    (
        "DELETE /api/admin/organizations/{organization_id}",
        Needs("super administrators only"),
    ),
    (
        "GET /api/admin/organizations/{organization_id}/groups",
        Needs("super administrators only"),
    ),
    (
        "GET /api/admin/organizations/{organization_id}/stats",
        Needs("super administrators only"),
    ),
    (
        "GET /api/admin/organizations/{organization_id}/users",
        Needs("super administrators only"),
    ),
    ("GET /api/api-keys", May(200)),
    ("POST /api/api-keys", InPerson(201)),
    ("DELETE /api/api-keys/{key_id}", InPerson(404)),
    ("GET /api/audit", Needs("system.audit_log")),
    ("GET /api/audit-logs", Needs("system.audit_log")),
    ("GET /api/audit-logs/tenants", Needs("administrators only")),
    ("GET /api/audit/export", Needs("system.audit_log")),
    ("GET /api/audit/tenants", Needs("administrators only")),
    ("GET /api/audit/verify", Needs("system.audit_log")),
    ("GET /api/community/issues", May(200)),
    ("POST /api/community/issues", May(201)),
    ("GET /api/community/issues/{issue_id}", May(200)),
    (
        "PUT /api/community/issues/{issue_id}",
        Refused(403, "Not authorized to update this issue"),
    ),
    (
        "DELETE /api/community/issues/{issue_id}",
        Refused(403, "Not authorized to delete this issue"),
    ),
    ("GET /api/community/issues/{issue_id}/comments", May(200)),
    ("POST /api/community/issues/{issue_id}/comments", May(201)),
    (
        "DELETE /api/community/issues/{issue_id}/comments/{comment_id}",
        Refused(403, "Not authorized to delete this comment"),
    ),
    ("GET /api/community/issues/{issue_id}/fixes", May(200)),
    ("POST /api/community/issues/{issue_id}/fixes", May(201)),
    (
        "DELETE /api/community/issues/{issue_id}/fixes/{fix_id}",
        Refused(403, "Not authorized to delete this fix"),
    ),
    (
        "POST /api/community/issues/{issue_id}/fixes/{fix_id}/accept",
        Refused(403, "Only issue author can mark fixes as accepted"),
    ),
    ("POST /api/community/issues/{issue_id}/fixes/{fix_id}/like", May(200)),
    ("DELETE /api/community/issues/{issue_id}/fixes/{fix_id}/like", May(200)),
    ("POST /api/community/issues/{issue_id}/vote", May(200)),
    ("DELETE /api/community/issues/{issue_id}/vote", May(200)),
    ("POST /api/community/upload", Refused(400, "No image provided")),
    (
        "POST /api/machines/{agent_id}/rotate-key",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/command-logs", Needs("system.audit_log")),
    ("GET /api/command-logs/{log_key}", Refused(403, "Not authorized")),
    ("POST /api/auth/change-password", InPerson(200)),
    ("POST /api/auth/logout", InPerson(200)),
    ("GET /api/auth/me", May(200)),
    ("PUT /api/auth/me", InPerson(200)),
    ("GET /api/auth/me/ssh-key", May(200)),
    ("POST /api/auth/me/ssh-key", InPerson(200)),
    ("DELETE /api/auth/me/ssh-key", InPerson(200)),
    ("POST /api/auth/mfa/backup-codes/regenerate", InPerson(409)),
    ("POST /api/auth/mfa/confirm", InPerson(409)),
    ("POST /api/auth/mfa/disable", InPerson(409)),
    ("POST /api/auth/mfa/enroll", InPerson(200)),
    ("GET /api/auth/mfa/status", May(200)),
    ("GET /api/auth/ssh-keys", May(200)),
    ("POST /api/auth/verify-email", May(200)),
    ("GET /api/commands", May(200)),
    // Each machine that is named is answered for itself.
    ("POST /api/commands", May(201)),
    ("GET /api/commands/{command_id}", Refused(403, "Not authorized")),
    ("POST /api/commands/{command_id}/cancel", Refused(403, "Not authorized")),
    (
        "POST /api/commands/{command_id}/decision",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/dashboard/recent-activity", May(200)),
    ("GET /api/dashboard/recent-machines", May(200)),
    ("GET /api/dashboard/stats", May(200)),
    ("GET /api/alerts", Needs("administrators only")),
    ("POST /api/alerts/{alert_id}/acknowledge", Needs("administrators only")),
    ("GET /api/alerts/rules", Needs("administrators only")),
    ("POST /api/alerts/rules", Needs("administrators only")),
    ("GET /api/alerts/rules/{rule_id}", Needs("administrators only")),
    ("PUT /api/alerts/rules/{rule_id}", Needs("administrators only")),
    ("DELETE /api/alerts/rules/{rule_id}", Needs("administrators only")),
    ("GET /api/webhooks", Needs("administrators only")),
    ("POST /api/webhooks", Needs("administrators only")),
    ("GET /api/webhooks/{webhook_id}", Needs("administrators only")),
    ("PUT /api/webhooks/{webhook_id}", Needs("administrators only")),
    ("DELETE /api/webhooks/{webhook_id}", Needs("administrators only")),
    (
        "POST /api/webhooks/{webhook_id}/rotate-secret",
        Needs("administrators only"),
    ),
    ("POST /api/webhooks/{webhook_id}/test", Needs("administrators only")),
    (
        "GET /api/webhooks/{webhook_id}/deliveries",
        Needs("administrators only"),
    ),
    (
        "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
        Needs("administrators only"),
    ),
    ("GET /api/groups", May(200)),
    ("POST /api/groups", Needs("administrators only")),
    ("GET /api/groups/{group_id}", May(200)),
    ("PUT /api/groups/{group_id}", Needs("administrators only")),
    ("DELETE /api/groups/{group_id}", Needs("administrators only")),
    ("GET /api/groups/{group_id}/machines", May(200)),
    ("POST /api/groups/{group_id}/machines", Needs("administrators only")),
    (
        "DELETE /api/groups/{group_id}/machines/{machine_id}",
        Needs("administrators only"),
    ),
    ("GET /api/groups/{group_id}/members", May(200)),
    ("POST /api/groups/{group_id}/members", Needs("administrators only")),
    ("DELETE /api/groups/{group_id}/members", Needs("administrators only")),
    ("GET /api/machines", May(200)),
    ("POST /api/machines", May(201)),
    ("GET /api/machines/by-id/{machine_id}", Refused(403, "Not authorized")),
    ("GET /api/machines/{agent_id}", Refused(403, "Not authorized")),
    ("GET /api/machines/{agent_id}/metrics", Refused(403, "Not authorized")),
    ("PUT /api/machines/{agent_id}", Refused(403, "Not authorized")),
    ("DELETE /api/machines/{agent_id}", Refused(403, "Not authorized")),
    (
        "GET /api/machines/{agent_id}/access-requests",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/machines/{agent_id}/pending-requests-count",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/machines/{agent_id}/access/grant",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/machines/{agent_id}/access/revoke",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/machines/{agent_id}/access/users",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/machines/{agent_id}/logs", Refused(403, "Not authorized")),
    (
        "GET /api/machines/{agent_id}/logs/search",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/machines/{agent_id}/sessions", Refused(403, "Not authorized")),
    (
        "GET /api/machines/{agent_id}/sessions/active",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/machines/{agent_id}/access-events",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/machines/{agent_id}/recordings",
        Refused(403, "Not authorized"),
    ),
    ("POST /api/machines/{agent_id}/command", Refused(403, "Not authorized")),
    (
        "POST /api/machines/{agent_id}/registration-token",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/command-logs", Needs("system.audit_log")),
    ("GET /api/organization", Needs("administrators only")),
    ("PUT /api/organization", Needs("administrators only")),
    ("GET /api/profile", May(200)),
    ("DELETE /api/profile/avatar", May(200)),
    ("POST /api/profile/regenerate-api-key", InPerson(200)),
    ("POST /api/profile/reset-password", InPerson(200)),
    ("POST /api/profile/upload-avatar", May(200)),
    ("GET /api/recordings", Needs("administrators only")),
    ("GET /api/recordings/{recording_id}", Refused(403, "Not authorized")),
    ("DELETE /api/recordings/{recording_id}", Refused(403, "Not authorized")),
    (
        "GET /api/recordings/{recording_id}/download",
        Refused(403, "Not authorized"),
    ),
    ("GET /api/jobs", May(200)),
    ("GET /api/jobs/{job_id}", Refused(403, "Permission denied")),
    ("DELETE /api/jobs/{job_id}", Needs("jobs.cancel")),
    ("POST /api/jobs/{job_id}/rerun", Needs("jobs.rerun")),
    ("GET /api/jobs/{job_id}/stream", Refused(403, "Permission denied")),
    (
        "GET /api/live",
        Refused(426, "This path speaks WebSocket: send Upgrade: websocket"),
    ),
    ("POST /api/live/ticket", InPerson(201)),
    ("GET /api/log-management/config", Needs("administrators only")),
    ("POST /api/log-management/config", Needs("super administrators only")),
    ("GET /api/log-management/runs", Needs("administrators only")),
    (
        "GET /api/recordings/{recording_id}/live",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/recordings/{recording_id}/segments",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/recordings/{recording_id}/segments/{offset}",
        Refused(403, "Not authorized"),
    ),
    (LIVE_TICKET, Refused(403, "Not authorized")),
    ("GET /api/recordings/{recording_id}/url", Refused(403, "Not authorized")),
    ("GET /api/roles", May(200)),
    ("POST /api/roles", Needs("roles.create")),
    ("GET /api/roles/machine", May(200)),
    ("GET /api/roles/permissions", Needs("roles.view")),
    ("GET /api/roles/portal", May(200)),
    (
        "GET /api/roles/users/{user_id}",
        Refused(403, "Cannot view other users' roles"),
    ),
    ("POST /api/roles/users/{user_id}/roles", Needs("users.assign_roles")),
    ("GET /api/roles/{role_id}", Needs("roles.view")),
    ("PUT /api/roles/{role_id}", Needs("roles.edit")),
    ("DELETE /api/roles/{role_id}", Needs("roles.delete")),
    ("GET /api/schedules", Needs("schedules.view")),
    ("POST /api/schedules", Needs("schedules.create")),
    ("GET /api/schedules/preview", Needs("schedules.view")),
    ("GET /api/schedules/{schedule_id}", Needs("schedules.view")),
    ("PUT /api/schedules/{schedule_id}", Needs("schedules.edit")),
    ("DELETE /api/schedules/{schedule_id}", Needs("schedules.delete")),
    ("GET /api/schedules/{schedule_id}/history", Needs("schedules.view")),
    ("GET /api/inventory/types", May(200)),
    ("POST /api/inventory/types", Needs("inventory.types.manage")),
    ("GET /api/inventory/types/{slug}", May(200)),
    ("PUT /api/inventory/types/{slug}", Needs("inventory.types.manage")),
    ("DELETE /api/inventory/types/{slug}", Needs("inventory.types.manage")),
    ("GET /api/inventory/tags", May(200)),
    ("POST /api/inventory/tags", Needs("inventory.tags.manage")),
    ("PUT /api/inventory/tags/{tag_id}", Needs("inventory.tags.manage")),
    ("DELETE /api/inventory/tags/{tag_id}", Needs("inventory.tags.manage")),
    (
        "GET /api/inventory/tags/{tag_id}/permissions",
        Needs("inventory.acl.manage"),
    ),
    (
        "POST /api/inventory/tags/{tag_id}/permissions",
        Needs("inventory.acl.manage"),
    ),
    (
        "DELETE /api/inventory/tags/{tag_id}/permissions/{permission_id}",
        Needs("inventory.acl.manage"),
    ),
    // The thing is a server: as a service it is not there.
    (
        "GET /api/inventory/service/{object_id}/configs",
        Refused(404, "Object not found"),
    ),
    (
        "GET /api/inventory/service/{object_id}/configs/{config}",
        Refused(404, "Object not found"),
    ),
    (
        "PUT /api/inventory/service/{object_id}/configs/{config}",
        Refused(404, "Object not found"),
    ),
    (
        "POST /api/inventory/{type_slug}/actions/{action}",
        Needs("inventory.server.refresh"),
    ),
    (
        "GET /api/inventory/{type_slug}/export",
        Refused(403, "Permission denied"),
    ),
    ("POST /api/inventory/{type_slug}/sync", Needs("inventory.server.view")),
    (
        "POST /api/inventory/{type_slug}/{object_id}/actions/{action}",
        Needs("inventory.server.refresh"),
    ),
    ("GET /api/inventory/{type_slug}", Refused(403, "Permission denied")),
    ("POST /api/inventory/{type_slug}", Needs("inventory.server.create")),
    (
        "GET /api/inventory/{type_slug}/{object_id}",
        Needs("inventory.server.view"),
    ),
    (
        "PUT /api/inventory/{type_slug}/{object_id}",
        Needs("inventory.server.edit"),
    ),
    (
        "DELETE /api/inventory/{type_slug}/{object_id}",
        Needs("inventory.server.delete"),
    ),
    (
        "POST /api/inventory/{type_slug}/{object_id}/reveal",
        Needs("inventory.server.reveal"),
    ),
    (
        "POST /api/inventory/{type_slug}/{object_id}/tags",
        Needs("inventory.server.edit"),
    ),
    (
        "DELETE /api/inventory/{type_slug}/{object_id}/tags/{tag_id}",
        Needs("inventory.server.edit"),
    ),
    (
        "GET /api/inventory/{type_slug}/{object_id}/acl",
        Refused(403, "Permission denied"),
    ),
    (
        "POST /api/inventory/{type_slug}/{object_id}/acl",
        Refused(403, "Permission denied"),
    ),
    (
        "DELETE /api/inventory/{type_slug}/{object_id}/acl/{acl_id}",
        Needs("inventory.acl.manage"),
    ),
    ("GET /api/instances", Needs("instances.view")),
    ("GET /api/instances/refresh", Needs("instances.refresh")),
    ("POST /api/instances/refresh", Needs("instances.refresh")),
    ("POST /api/instances/{label}/{region}/stop", Needs("instances.stop")),
    ("POST /api/instances/stop", Needs("instances.stop")),
    ("GET /api/instances/provider", Needs("system.settings.view")),
    ("GET /api/instances/ssh/{hostname}", Refused(403, NO_SSH)),
    (SSH_TICKETS[0], Refused(403, NO_SSH)),
    ("GET /api/inventory/server/ssh/{hostname}", Refused(403, NO_SSH)),
    (SSH_TICKETS[1], Refused(403, NO_SSH)),
    ("GET /api/inventory/ws/{object_id}/action", Refused(403, NO_SSH)),
    ("GET /api/inventory/server/{object_id}/ssh", Refused(403, NO_SSH)),
    (SSH_TICKETS[2], Needs("inventory.server.view")),
    ("PUT /api/instances/provider", Needs("system.settings.edit")),
    ("DELETE /api/instances/provider", Needs("system.settings.edit")),
    ("GET /api/costs", Needs("costs.view")),
    ("GET /api/costs/by-tag", Needs("costs.view")),
    ("GET /api/costs/by-region", Needs("costs.view")),
    ("POST /api/costs/refresh", Needs("costs.refresh")),
    ("POST /api/services/{name}/stop", Needs("services.stop")),
    ("POST /api/services/actions/stop-all", Needs("system.stop_all")),
    ("GET /api/services", Needs("services.view")),
    ("GET /api/services/active-deployments", Needs("services.view")),
    ("GET /api/services/{name}", Needs("services.view")),
    ("GET /api/services/outputs", Needs("services.view")),
    ("GET /api/services/{name}/outputs", Needs("services.view")),
    ("GET /api/services/{name}/configs", Needs("services.config.view")),
    (
        "GET /api/services/{name}/configs/{config}",
        Needs("services.config.view"),
    ),
    (
        "PUT /api/services/{name}/configs/{config}",
        Needs("services.config.edit"),
    ),
    ("GET /api/services/{name}/files/{subdir}", Needs("services.files.view")),
    ("POST /api/services/{name}/files/{subdir}", Needs("services.files.edit")),
    (
        "GET /api/services/{name}/files/{subdir}/{file_name}",
        Needs("services.files.view"),
    ),
    (
        "PUT /api/services/{name}/files/{subdir}/{file_name}",
        Needs("services.files.edit"),
    ),
    (
        "DELETE /api/services/{name}/files/{subdir}/{file_name}",
        Needs("services.files.edit"),
    ),
    ("GET /api/services/vault-password", Needs("system.settings.view")),
    ("PUT /api/services/vault-password", Needs("system.settings.edit")),
    ("POST /api/services/{name}/deploy", Needs("services.deploy")),
    ("POST /api/services/{name}/run", Needs("services.deploy")),
    ("GET /api/sessions/{session_id}", Refused(403, "Not authorized")),
    ("GET /api/terminal/live", May(200)),
    ("GET /api/shares", May(200)),
    ("POST /api/shares/join", Refused(404, NO_LINK)),
    (SHARED_TICKET, Refused(404, NOT_SHARED)),
    ("GET /api/shares/{share_id}/ws", Refused(404, NOT_SHARED)),
    ("GET /api/terminal/sessions", May(200)),
    (
        "PUT /api/terminal/sessions/{session_id}",
        Refused(403, "Not authorized"),
    ),
    (
        "DELETE /api/terminal/sessions/{session_id}",
        Refused(403, "Not authorized"),
    ),
    (
        "GET /api/terminal/sessions/{session_id}/shares",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/terminal/sessions/{session_id}/shares",
        Refused(403, "Not authorized"),
    ),
    (
        "POST /api/terminal/sessions/{session_id}/share-links",
        Refused(403, "Not authorized"),
    ),
    (
        "DELETE /api/terminal/sessions/{session_id}/shares/{share_id}",
        Refused(403, "Not authorized"),
    ),
    (TICKET, Refused(403, "Not authorized")),
    ("GET /api/terminal/{agent_id}/ws", Refused(403, "Not authorized")),
    ("GET /api/users", Needs("users.view")),
    ("POST /api/users", Needs("users.create")),
    ("GET /api/users/export", Needs("users.view")),
    ("POST /api/users/invite", Needs("users.create")),
    ("GET /api/users/me", May(200)),
    ("POST /api/users/password", InPerson(200)),
    ("PUT /api/users/profile", InPerson(200)),
    ("GET /api/users/{user_id}", May(200)),
    ("PUT /api/users/{user_id}", Needs("users.edit")),
    ("DELETE /api/users/{user_id}", Needs("users.delete")),
    ("GET /api/users/{user_id}/groups", May(200)),
    ("DELETE /api/users/{user_id}/mfa", Needs("users.edit")),
    ("POST /api/users/{user_id}/resend-invite", Needs("users.create")),
    ("POST /api/users/{user_id}/reset-password", Needs("users.edit")),
    (
        "GET /api/users/{user_id}/roles",
        Refused(403, "Cannot view other users' roles"),
    ),
    ("PUT /api/users/{user_id}/roles", Needs("users.assign_roles")),
    ("POST /api/users/{user_id}/roles", Needs("users.assign_roles")),
    ("GET /v1/auth/me", May(200)),
    ("POST /v1/auth/logout", InPerson(200)),
    ("GET /v1/organizations", Refused(403, SUPER)),
    ("POST /v1/organizations", Refused(403, SUPER)),
    ("GET /v1/organizations/{organization_id}", Refused(403, SUPER)),
    ("PUT /v1/organizations/{organization_id}", Refused(403, SUPER)),
    ("DELETE /v1/organizations/{organization_id}", Refused(403, SUPER)),
    ("GET /v1/organizations/{organization_id}/members", Refused(403, SUPER)),
    ("PUT /v1/organizations/{organization_id}/oidc", Refused(403, SUPER)),
    ("GET /v1/users", Refused(403, ADMIN)),
    ("POST /v1/users/invite", Refused(403, ADMIN)),
    ("POST /v1/users/invitations/{user_id}/resend", Refused(403, ADMIN)),
    ("GET /v1/users/{user_id}", May(200)),
    ("PUT /v1/users/{user_id}", Refused(403, ADMIN)),
    ("DELETE /v1/users/{user_id}", Refused(403, ADMIN)),
    ("PUT /v1/users/{user_id}/permissions", Refused(403, "Not authorized")),
    ("POST /v1/machines", May(201)),
    ("PUT /v1/machines/{machine_id}", Refused(403, "Not authorized")),
    ("GET /v1/machines", May(200)),
    ("GET /v1/machines/{machine_id}", Refused(403, "Not authorized")),
    ("DELETE /v1/machines/{machine_id}", Refused(403, "Not authorized")),
    ("POST /v1/machines/{machine_id}/test", Refused(403, "Not authorized")),
    ("POST /v1/machines/{machine_id}/connect", Refused(403, "Not authorized")),
    ("GET /v1/sessions", May(200)),
    ("POST /v1/sessions", Refused(404, "Machine not found")),
    ("GET /v1/sessions/stats", May(200)),
    ("GET /v1/sessions/{session_id}", Refused(403, "Not authorized")),
    ("DELETE /v1/sessions/{session_id}", Refused(403, "Not authorized")),
    ("GET /v1/sessions/{session_id}/logs", Refused(403, "Not authorized")),
];

/// What needs no token. Other tests say what it needs in its place.
const OPEN: &[&str] = &[
    "GET /agent/download/{filename}",
    "GET /cli/download/{filename}",
    "POST /agent/enroll",
    "POST /api/auth/accept-invite",
    "POST /api/auth/forgot-password",
    "POST /api/auth/invite/{token}",
    "POST /api/auth/login",
    "POST /api/auth/mfa/verify",
    "GET /api/auth/oidc/github",
    "GET /api/auth/oidc/github/callback",
    "GET /api/auth/oidc/microsoft",
    "GET /api/auth/oidc/microsoft/callback",
    "GET /api/auth/oidc/sso",
    "GET /api/auth/oidc/sso/callback",
    "POST /api/auth/password-reset/{token}",
    "POST /api/auth/refresh",
    "POST /api/auth/reset-password",
    "POST /api/auth/select-tenant",
    "POST /api/auth/setup",
    "GET /api/auth/setup-required",
    "POST /api/auth/signup",
    "GET /api/auth/status",
    "POST /api/auth/verify-email/{token}",
    "POST /api/auth/verify-otp",
    "GET /api/avatars/{avatar_id}",
    "GET /api/branding",
    "GET /api/community/images/{image_id}",
    "GET /api/jobs/ws/{job_id}",
    "POST /api/login",
    "GET /api/oidc/providers",
    "GET /api/recordings/files/{token}",
    "POST /api/signup",
    "GET /health",
    "GET /install.sh",
    "GET /metrics",
    "GET /ready",
    "POST /v1/auth/login",
    "GET /v1/auth/oidc/authorize",
    "POST /v1/auth/oidc/callback",
    "POST /v1/auth/refresh",
    "GET /v1/sessions/{session_id}/ws",
];

/// Of each kind of parameter, a thing that belongs to the owner of the shared machine or to the organization.
struct Things {
    session: &'static str,
    command: String,
    log_key: String,
    group: String,
    key: String,
    role: String,
    recording: String,
    request: String,
    /// An issue, a fix and a comment.
    written: (String, String, String),
    /// A rule, an alert, a webhook and a delivery.
    alerted: (String, String, String, String),
    job: String,
    schedule: String,
    /// A thing of the inventory, a tag, what that lets people do, and a rule about the thing.
    entered: (String, String, String, String),
}

/// A command of the owner's.
async fn sent(world: &World) -> String {
    let path = format!("/api/machines/{}/command", world.agent.agent_id);
    let sent = world.owner.post(&path, json!({"command": "true"})).await.ok();
    sent["command_id"].as_str().expect("an id").to_owned()
}

impl Things {
    async fn of(world: &World) -> &'static Self {
        static SHARED: OnceCell<Things> = OnceCell::const_new();
        let made = async |path: &str| {
            let made = world.owner.post(path, json!({"name": "not for colleagues"})).await.ok();
            made["id"]
                .as_str()
                .map_or_else(|| made["id"].to_string(), str::to_owned)
        };
        SHARED
            .get_or_init(async || {
                let command = sent(world).await;
                Self {
                    session: "colleague-1",
                    log_key: logged(world, &command).await,
                    command,
                    group: made("/api/groups").await,
                    key: made("/api/api-keys").await,
                    role: made("/api/roles").await,
                    recording: {
                        drop(Viewer::attached(&world.owner, &world.agent, "colleague-2").await);
                        recording(world, "colleague-2").await
                    },
                    request: requested(world).await,
                    written: written(world).await,
                    alerted: alerted(world).await,
                    job: job(world, "c0113a60"),
                    schedule: schedule(world, "c0113a600000000000000000"),
                    entered: entered(world, "colleagues").await,
                }
            })
            .await
    }

    fn path(&self, world: &World, operation: &Operation) -> String {
        operation.path_with(|name| match name {
            "agent_id" => world.agent.agent_id.clone(),
            "machine_id" => world.agent.machine_id.clone(),
            "user_id" => world.owner.id.clone(),
            "organization_id" => world.owner.username.clone(),
            "session_id" => self.session.to_owned(),
            "command_id" => self.command.clone(),
            "log_key" => self.log_key.clone(),
            "group_id" => self.group.clone(),
            "key_id" => self.key.clone(),
            "role_id" => self.role.clone(),
            "recording_id" => self.recording.clone(),
            "request_id" => self.request.clone(),
            "issue_id" => self.written.0.clone(),
            "fix_id" => self.written.1.clone(),
            "comment_id" => self.written.2.clone(),
            "rule_id" => self.alerted.0.clone(),
            "alert_id" => self.alerted.1.clone(),
            "webhook_id" => self.alerted.2.clone(),
            "delivery_id" => self.alerted.3.clone(),
            // Somebody else's invitation is like none.
            "share_id" => "00000000000000000000000a".to_owned(),
            "offset" => "0".to_owned(),
            "name" => "web".to_owned(),
            // Which instances there are nobody knows without the key of a provider.
            "label" | "hostname" => "web".to_owned(),
            "region" => "mel".to_owned(),
            "config" => "config.yaml".to_owned(),
            "subdir" => "inputs".to_owned(),
            "file_name" => "a.txt".to_owned(),
            "job_id" => self.job.clone(),
            "schedule_id" => self.schedule.clone(),
            "slug" | "type_slug" => "server".to_owned(),
            "object_id" => self.entered.0.clone(),
            "action" => "refresh".to_owned(),
            "tag_id" => self.entered.1.clone(),
            "permission_id" => self.entered.2.clone(),
            "acl_id" => self.entered.3.clone(),
            other => panic!("say here what {other} of somebody else's is"),
        })
    }
}

async fn ask(caller: &Account, token: &str, operation: &Operation, path: &str) -> Answer {
    let mut request = caller
        .anonymous
        .request(operation.method.clone(), path)
        .bearer_auth(token);
    if operation.path.ends_with("/ws") {
        // As a WebSocket client asks.
        request = request
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    send(match operation.least_body() {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

fn expected(operation: &Operation) -> Expected {
    let name = operation.name();
    let found = OPERATIONS.iter().find(|(of, _)| *of == name);
    found.unwrap_or_else(|| panic!("say here who may {name}")).1
}

#[tokio::test]
async fn every_operation_is_decided_upon() {
    let world = World::shared().await;
    let all = operations(&world.owner.anonymous).await;
    let names = |open: bool| -> BTreeSet<String> {
        let chosen = all.iter().filter(|operation| operation.public == open);
        chosen.map(Operation::name).collect()
    };
    let decided: BTreeSet<String> = OPERATIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(false), decided);
    let open: BTreeSet<String> = OPEN.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names(true), open);
}

#[tokio::test]
async fn somebody_without_rights_may_do_what_is_listed_and_nothing_else() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "colleague-1").await;
    let things = Things::of(world).await;
    let somebody = join(world.stack, &world.owner, "user").await;
    for operation in operations(&somebody.anonymous).await {
        if operation.public {
            continue;
        }
        let (path, expected) = (things.path(world, &operation), expected(&operation));
        // What somebody does in person may end their sign-in.
        let fresh = match expected {
            InPerson(_) => Some(join(world.stack, &world.owner, "user").await),
            _ => None,
        };
        let caller = fresh.as_ref().unwrap_or(&somebody);
        let answer = ask(caller, &caller.token, &operation, &path).await;
        let name = operation.name();
        match expected {
            May(status) | InPerson(status) => assert_eq!(answer.status, status, "{name}: {answer:#?}"),
            Refused(status, text) => {
                assert_eq!(answer.refusal(), (status, text.to_owned()), "{name}");
            }
            Needs(right) => {
                let detail = format!("Permission denied: {right}");
                let refusal = (
                    answer.status,
                    answer.body["detail"].as_str(),
                    answer.body["code"].as_str(),
                );
                assert_eq!(
                    refusal,
                    (403, Some(detail.as_str()), Some("forbidden")),
                    "{name}: {answer:#?}"
                );
            }
        }
    }
    for path in [
        format!("/api/machines/{}", world.agent.agent_id),
        format!("/api/groups/{}", things.group),
        format!("/api/roles/{}", things.role),
        format!("/api/users/{}", world.owner.id),
    ] {
        assert_eq!(world.owner.get(&path).await.status, 200, "{path} is as it was");
    }
    viewer.run("echo still-$((40+2))", "still-42").await;
}

#[tokio::test]
async fn a_program_may_do_no_more_with_a_key_than_the_key_is_for() {
    let world = World::shared().await;
    let somebody = join(world.stack, &world.owner, "user").await;
    let key = async |scope: &str| {
        let made = somebody
            .post("/api/api-keys", json!({"name": scope, "scope": scope}))
            .await
            .ok();
        made["key"].as_str().expect("a key").to_owned()
    };
    let (full, read) = (key("full").await, key("read").await);
    let things = Things::of(world).await;
    // The form of `/v1` has one code for all of them, and the words.
    let code = |answer: &Answer| match answer.body["error"]["message"].as_str() {
        Some("This API key may only read") => "read_only_key".to_owned(),
        Some("An API key may not do this: sign in with your password") => "sign_in_required".to_owned(),
        _ => answer.body["code"].as_str().unwrap_or_default().to_owned(),
    };
    let (mut in_person, mut writes) = (0, 0);
    for operation in operations(&somebody.anonymous).await {
        // Those without a decision fail in the other tests.
        if operation.public || operation.path.starts_with("/agent/") {
            continue;
        }
        let (name, path) = (operation.name(), things.path(world, &operation));
        let answer = ask(&somebody, &full, &operation, &path).await;
        let wants_a_person = matches!(expected(&operation), InPerson(_)) || TICKETS.contains(&name.as_str());
        let refused = (answer.status, code(&answer)) == (403, "sign_in_required".to_owned());
        assert_eq!(refused, wants_a_person, "{name}: {answer:#?}");
        in_person += u32::from(wants_a_person);

        if operation.method != Method::GET || operation.path.ends_with("/ws") {
            let answer = ask(&somebody, &read, &operation, &path).await;
            assert_eq!(
                (answer.status, code(&answer)),
                (403, "read_only_key".to_owned()),
                "{name}: {answer:#?}"
            );
            writes += 1;
        }
    }
    assert!(in_person >= 10 && writes >= 30, "the API document lists its routes");
}
