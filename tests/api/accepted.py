"""Where a check of schemathesis is wrong for this API: of which operations, and why."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Accepted:
    """A failure that is none."""

    reason: str
    # What schemathesis calls such a failure.
    failure: str
    # Of which operations, each with how what is said may begin; with anything, if nothing is named.
    operations: dict
    is_meant: Callable = lambda case, response: True

    def covers(self, failure, case, response):
        if type(failure).__name__ != self.failure or case.operation.label not in self.operations:
            return False
        said = self.operations[case.operation.label]
        return self.is_meant(case, response) and (not said or says(response).startswith(said))


def says(response):
    """The words of a refusal."""
    error = response.json().get("error", "") if response.content else ""
    return error["message"] if isinstance(error, dict) else error


def wrong_parameters(case):
    """The parameters that were made to be wrong."""
    data = case.meta.phase.data
    return {data.parameter, *(mutation.parameter for mutation in data.mutations)} - {None}


REFUSED, ACCEPTED_ANYWAY, FAILED = "RejectedPositiveData", "AcceptedNegativeData", "ServerError"
PAGES = (
    "GET /api/access-requests",
    "GET /api/access-requests/machines",
    "GET /api/access-requests/my",
    "GET /api/access-requests/to-decide",
    "GET /api/admin/organizations",
    "GET /api/admin/organizations/{organization_id}/groups",
    "GET /api/admin/organizations/{organization_id}/users",
    "GET /api/alerts",
    "GET /api/audit",
    "GET /api/audit-logs",
    "GET /api/audit/export",
    "GET /api/commands",
    "GET /api/community/issues",
    "GET /api/community/issues/{issue_id}/comments",
    "GET /api/community/issues/{issue_id}/fixes",
    "GET /api/groups",
    "GET /api/inventory/{type_slug}",
    "GET /api/groups/{group_id}/machines",
    "GET /api/groups/{group_id}/members",
    "GET /api/log-management/runs",
    "GET /api/machines",
    "GET /api/machines/{agent_id}/access-events",
    "GET /api/machines/{agent_id}/access-requests",
    "GET /api/machines/{agent_id}/recordings",
    "GET /api/machines/{agent_id}/sessions",
    "GET /api/machines/{agent_id}/sessions/active",
    "GET /api/jobs",
    "GET /api/recordings",
    "GET /api/recordings/{recording_id}/segments",
    "GET /api/schedules/{schedule_id}/history",
    "GET /api/sessions/{session_id}",
    "GET /api/terminal/sessions",
    "GET /api/users",
    "GET /api/webhooks/{webhook_id}/deliveries",
    "GET /v1/machines",
    "GET /v1/organizations",
    "GET /v1/organizations/{organization_id}/members",
    "GET /v1/sessions",
    "GET /v1/sessions/{session_id}/logs",
    "GET /v1/users",
)
LOGS = ("GET /api/command-logs", "GET /api/machines/{agent_id}/logs", "GET /api/machines/{agent_id}/logs/search")
NUMBERS = (
    "PUT /api/admin/organizations/{organization_id}",
    "PUT /api/organization",
    "POST /api/log-management/config",
    "POST /api/access-requests",
    "POST /api/alerts/rules",
    "PUT /api/alerts/rules/{rule_id}",
    "POST /api/api-keys",
    "POST /api/commands",
    "POST /api/machines/{agent_id}/command",
    "PUT /api/machines/{agent_id}",
    "POST /api/terminal/sessions/{session_id}/share-links",
    "POST /api/terminal/sessions/{session_id}/shares",
    "POST /v1/sessions",
    "POST /api/machines/{agent_id}/access/grant",
    "POST /api/roles",
    "PUT /api/roles/{role_id}",
    "POST /api/inventory/tags/{tag_id}/permissions",
    "POST /api/inventory/{type_slug}",
    "PUT /api/inventory/{type_slug}/{object_id}",
    "POST /api/inventory/{type_slug}/{object_id}/acl",
    "POST /api/inventory/{type_slug}/{object_id}/tags",
    "POST /api/users",
    "POST /api/users/invite",
    "POST /api/users/{user_id}/roles",
    "PUT /api/users/{user_id}/roles",
    "POST /api/roles/users/{user_id}/roles",
)
# What an action takes, and whether it is one that a job does, its type and the service say.
ACTION = (
    "No service name",
    "Script ",
    "script must not",
    "Missing required input",
    "Input ",
    "inputs must be at most",
    "This server is not known at the provider",
    "To destroy an instance",
    "A terminal is no job",
    "Configs are read and written at",
    "Files are listed, read and written at",
    "The edge has no action",
)

SCHEDULE = ("cron ", "time_zone ", "script ", "inputs ", "Script ", "Missing required input", "Input ", "name is", "service is")
FILES = (
    "POST /api/services/{name}/files/{subdir}",
    "GET /api/services/{name}/files/{subdir}/{file_name}",
    "PUT /api/services/{name}/files/{subdir}/{file_name}",
    "DELETE /api/services/{name}/files/{subdir}/{file_name}",
)
INVITE, RESET = ("Invalid or expired invite token",), ("Invalid or expired reset token",)
# Of an account that may be asked for by whoever made it.
TAKEN = ("Username already exists", "Username or email already exists", "Email already")
ROLES = ("role_ids must be roles of the account's organization",)
NO_PASSWORD = ("current_password is required", "Current password is incorrect")
COMMUNITY = ("title ", "description ", "content ", "tags[", "images[", "machine_id must be a machine of your organization")
# Bounds that depend on the event, one thing that narrows, and ids of the organization.
RULE = ("minutes must", "tag ", "group_id ", "machine_id ", "user_ids ", "webhook_ids ")
NO_PROOF = ("code is not right", "password is not right")

ACCEPTED = [
    Accepted(
        "as published, a page or its size that is none counts as absent",
        ACCEPTED_ANYWAY,
        dict.fromkeys(PAGES, ()),
        lambda case, _: wrong_parameters(case) and wrong_parameters(case) <= {"page", "limit", "per_page", "skip", "from", "format", "t"},
    ),
    Accepted(
        "as published, a page that is none counts as absent, and so does a filter",
        ACCEPTED_ANYWAY,
        dict.fromkeys(LOGS, ()),
        lambda case, _: wrong_parameters(case) and wrong_parameters(case) <= {"page", "limit", "before", "after", "exit_code", "success"},
    ),
    Accepted(
        "a header that nobody knows, or that is no range, is nobody's business (RFC 9110)",
        ACCEPTED_ANYWAY,
        {"GET /api/recordings/{recording_id}/segments/{offset}": ()},
        lambda case, _: wrong_parameters(case) <= {"range"},
    ),
    Accepted(
        "an empty parameter counts as absent",
        ACCEPTED_ANYWAY,
        {"GET /api/recordings/{recording_id}/segments/{offset}": ()},
        lambda case, _: wrong_parameters(case) <= {"format", "until", "saved"},
    ),
    Accepted(
        "as published, a machine whose agent is away is answered 503",
        FAILED,
        {"POST /api/machines/{agent_id}/command": ("agent not connected",)},
    ),
    Accepted(
        "whose a machine is, no schema says",
        REFUSED,
        {
            "POST /api/machines/{agent_id}/access/revoke": ("The owner's access cannot be revoked",),
            "POST /api/machines/{agent_id}/access/grant": ("The owner has access to the machine already",),
        },
    ),
    Accepted(
        "as published, a service that is none gave nothing, and the stream of a job that is none says so",
        ACCEPTED_ANYWAY,
        {"GET /api/services/{name}/outputs": (), "GET /api/jobs/{job_id}/stream": ()},
        lambda case, _: wrong_parameters(case) <= {"name", "job_id"},
    ),
    Accepted(
        "which scripts a service has and what they ask for, its files say",
        REFUSED,
        {"POST /api/services/{name}/run": ("Script ", "script must not", "Missing required input", "Input ", "inputs must be at most")},
    ),
    Accepted(
        "which texts are a cron expression or a time zone, and which scripts a service has, no schema says",
        REFUSED,
        {
            "GET /api/schedules/preview": ("cron ", "time_zone "),
            "POST /api/schedules": SCHEDULE,
            "PUT /api/schedules/{schedule_id}": SCHEDULE,
        },
    ),
    Accepted(
        "which fields a type has, and which fit together, its definition says",
        REFUSED,
        {
            "POST /api/inventory/{type_slug}/sync": ("This type has no sync source",),
            "POST /api/inventory/{type_slug}/actions/{action}": ACTION,
            "POST /api/inventory/{type_slug}/{object_id}/actions/{action}": ACTION,
            "POST /api/inventory/types": ("fields", "actions", "slug "),
            "PUT /api/inventory/types/{slug}": ("fields", "actions"),
            "GET /api/inventory/{type_slug}": ("sort must be",),
            "POST /api/inventory/{type_slug}": ("Missing required field", "data"),
            "PUT /api/inventory/{type_slug}/{object_id}": ("data",),
            "POST /api/inventory/tags/{tag_id}/permissions": ("permission must be",),
            "POST /api/inventory/{type_slug}/{object_id}/acl": ("permission must be", "role_id is", "permission is"),
        },
    ),
    Accepted(
        "an empty parameter counts as absent",
        ACCEPTED_ANYWAY,
        {"GET /api/inventory/{type_slug}": ()},
        lambda case, _: wrong_parameters(case) <= {"search", "tag", "sort", "order", "page", "limit", "per_page"},
    ),
    Accepted(
        "a number of times that is none counts as absent",
        ACCEPTED_ANYWAY,
        {"GET /api/schedules/preview": ()},
        lambda case, _: wrong_parameters(case) <= {"count", "time_zone"},
    ),
    Accepted(
        "labels are one line, and the one that is destroyed is confirmed",
        REFUSED,
        {
            "POST /api/instances/stop": ("label ", "region ", "confirm ", "To destroy an instance"),
            "POST /api/instances/{label}/{region}/stop": ("confirm ", "To destroy an instance"),
        },
    ),
    Accepted(
        "few texts are YAML, and what is bounded is their bytes",
        REFUSED,
        {
            "PUT /api/services/{name}/configs/{config}": ("Invalid YAML: ", "Content too large"),
            "PUT /api/inventory/service/{object_id}/configs/{config}": ("Invalid YAML: ", "Content too large"),
        },
    ),
    Accepted(
        "what is bounded of names and texts is their bytes, and some names mean other directories",
        REFUSED,
        dict.fromkeys(FILES, ("Path traversal detected", "File too large", "file is required")),
    ),
    Accepted(
        "what this server has no place for is refused in words",
        FAILED,
        {"PUT /v1/organizations/{organization_id}/oidc": ("Providers are set for the whole server",)},
    ),
    Accepted(
        "where a provider sends people back to is known, and what else an organization has is the whole server's",
        REFUSED,
        {
            "GET /v1/auth/oidc/authorize": ("redirect_uri must be",),
            "PUT /v1/organizations/{organization_id}": ("settings.",),
            "PUT /v1/users/{user_id}/permissions": ("machine_access must change at most",),
        },
    ),
    Accepted(
        "as published, a link that nobody mailed is answered 400",
        REFUSED,
        {
            "POST /api/auth/accept-invite": INVITE,
            "POST /api/auth/invite/{token}": INVITE,
            "POST /api/auth/password-reset/{token}": RESET,
            "POST /api/auth/reset-password": RESET,
            "POST /api/auth/verify-email/{token}": ("Invalid or expired verification token",),
        },
    ),
    Accepted(
        "whether a password or a code is right, no schema says",
        REFUSED,
        {
            "POST /api/auth/change-password": NO_PASSWORD,
            "POST /api/profile/reset-password": NO_PASSWORD,
            "POST /api/users/password": NO_PASSWORD,
            "POST /api/auth/mfa/backup-codes/regenerate": NO_PROOF,
            "POST /api/auth/mfa/confirm": NO_PROOF,
            "POST /api/auth/mfa/disable": NO_PROOF,
        },
    ),
    Accepted(
        "the browser console leaves it out, whose cookies have it",
        REFUSED,
        {
            "POST /api/auth/refresh": ("token is required",),
            "POST /api/auth/select-tenant": ("session_token is required",),
        },
    ),
    Accepted(
        "as published, what is there already or cannot be changed is answered 400",
        REFUSED,
        {
            "POST /api/auth/setup": ("Setup already completed",),
            "POST /api/access-requests": ("You own this machine",),
            "POST /api/access-requests/{request_id}/approve": ("The request is",),
            "POST /api/access-requests/{request_id}/reject": ("The request is",),
            "POST /api/access-requests/{request_id}/revoke": ("The request is",),
            "DELETE /api/access-requests/{request_id}": ("The request is",),
            "POST /api/terminal/sessions/{session_id}/shares": ("It is your own session",),
            "POST /api/roles": ("Role name already exists",),
            "PUT /api/roles/{role_id}": ("Role name already exists", "Cannot modify system roles"),
            "DELETE /api/roles/{role_id}": ("Cannot delete",),
            "POST /api/users": TAKEN,
            "POST /api/users/invite": TAKEN,
            "PUT /api/users/{user_id}": ("Email already in use",),
            "PUT /api/users/profile": ("Email already in use",),
            "PUT /api/auth/me": ("Email already in use",),
            "POST /api/users/{user_id}/resend-invite": ("User has already accepted their invite",),
            "POST /v1/users/invite": TAKEN,
            "POST /v1/users/invitations/{user_id}/resend": ("User has already accepted their invite",),
        },
    ),
    Accepted(
        "what a body names must be there; only the database says",
        REFUSED,
        {
            "POST /api/access-requests": ("invalid machine_id", "machine_role cannot be"),
            "POST /api/groups": ("User not found or not in tenant", "Machine not found or not in tenant"),
            "POST /api/groups/{group_id}/machines": ("Invalid machine ID",),
            "GET /api/machines/by-id/{machine_id}": ("Invalid machine ID",),
            "POST /api/users": ("groups ", *ROLES),
            "POST /api/users/invite": ("groups ", *ROLES),
            "PUT /api/users/{user_id}": ("groups ",),
            "POST /api/users/{user_id}/roles": ROLES,
            "PUT /api/users/{user_id}/roles": ROLES,
            "POST /api/roles/users/{user_id}/roles": ROLES,
            "DELETE /api/admin/organizations/{organization_id}": ("confirm must be the organization's name",),
        },
    ),
    Accepted(
        "what two fields must have in common, no schema says",
        REFUSED,
        {
            "POST /api/auth/signup": ("confirm_password must be the same",),
            # One of two fields, and which is for clients to choose.
            "POST /api/access-requests/{request_id}/reject": ("comment is required",),
            "POST /api/commands/{command_id}/decision": ("reason must say",),
            "POST /api/terminal/sessions/{session_id}/shares": ("user_id is required",),
            "PUT /api/users/{user_id}": ("is_active contradicts enabled",),
            "PUT /api/machines/{agent_id}": ("metadata must have at most", "thresholds."),
            "POST /api/users/{user_id}/roles": ("roles must name at most one",),
            "PUT /api/users/{user_id}/roles": ("roles must name at most one",),
            "POST /api/roles/users/{user_id}/roles": ("roles must name at most one",),
            # Either the query or the body names somebody.
            "DELETE /api/groups/{group_id}/members": ("user_id is required",),
            "POST /api/commands": ("agent_ids must name machines",),
        },
    ),
    Accepted(
        "a whole number has no fraction, be it .0",
        REFUSED,
        dict.fromkeys(NUMBERS, ()),
        lambda case, response: "must be a whole number" in says(response),
    ),
    Accepted(
        "what is blank, and which addresses a picture may have, no schema says",
        REFUSED,
        {
            "POST /api/community/issues": COMMUNITY,
            "PUT /api/community/issues/{issue_id}": COMMUNITY,
            "POST /api/community/issues/{issue_id}/comments": COMMUNITY,
            "POST /api/community/issues/{issue_id}/fixes": COMMUNITY,
        },
    ),
    Accepted(
        "0 is no limit and from there to the least that a shell starts with is nothing, which no schema says",
        REFUSED,
        dict.fromkeys(
            ("PUT /api/organization", "PUT /api/admin/organizations/{organization_id}"),
            ("max_processes must be 0", "max_memory_mb must be 0"),
        ),
    ),
    Accepted(
        "a published field whose only value is false is a truth value to a schema",
        REFUSED,
        {"POST /api/log-management/config": ("archive_enabled must be false",)},
    ),
    Accepted(
        "lists of a policy that are left out are empty, which the form that it has in answers does not say",
        ACCEPTED_ANYWAY,
        dict.fromkeys(
            ("PUT /api/organization", "PUT /api/admin/organizations/{organization_id}", "PUT /api/machines/{agent_id}"),
            (),
        ),
        lambda case, response: isinstance(case.body, dict) and isinstance(case.body.get("command_policy"), dict),
    ),
    Accepted(
        "a bound in bytes is one in characters to a schema",
        REFUSED,
        {"POST /api/shares/join": ("token must have at most",)},
    ),
    Accepted(
        "which addresses a webhook may have, and what an alert rule may name, no schema says",
        REFUSED,
        {
            "POST /api/webhooks": ("url ",),
            "PUT /api/webhooks/{webhook_id}": ("url ",),
            "POST /api/alerts/rules": RULE,
            "PUT /api/alerts/rules/{rule_id}": RULE,
        },
    ),
    Accepted(
        "when it is, no schema says",
        REFUSED,
        {"POST /api/machines/{agent_id}/access/grant": ("expires_at must be",)},
    ),
    Accepted(
        "one's own organization has the form of all, and nobody switches off their own",
        REFUSED,
        {"PUT /api/organization": ("enabled is for super administrators",)},
    ),
    Accepted(
        "which texts are masked, and which bytes are a key, a form or a picture, no schema says",
        REFUSED,
        {
            "POST /agent/enroll": ("public_key must be an Ed25519 public key",),
            "POST /api/profile/upload-avatar": ("avatar must be", "The picture", "The body is not a valid form"),
            "POST /api/community/upload": ("image must be", "The picture", "Invalid file type", "No ", "The body is not a valid form"),
            "PUT /api/admin/organizations/{organization_id}": ("command_masks must", "allowed_networks "),
            "PUT /api/organization": ("command_masks must", "allowed_networks "),
        },
    ),
]
