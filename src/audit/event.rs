//! An entry in the making.
use axum::extract::MatchedPath;
use axum::http::header::UPGRADE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use protocol::ids::ObjectId;
use serde_json::{Map, Value};

use crate::http::argument::{Argument, Asked};
use crate::http::client::Client;
use crate::platform::error::ApiError;

/// Declares the actions: name and the word that is stored.
macro_rules! actions {
    ($($(#[$meta:meta])* $name:ident $word:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each says itself what was done")]
        pub enum Action {
            $($(#[$meta])* $name),*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word that is stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

actions! {
    Setup "auth.setup";
    Signup "signup";
    Login "login";
    LoginFailed "login_failed";
    OtpSent "otp_sent";
    VerifyOtp "verify_otp";
    Logout "logout";
    TokenRefresh "token_refresh";
    PasswordChanged "password_changed";
    PasswordResetRequested "password_reset_requested";
    PasswordReset "auth.password_reset";
    EmailVerified "email_verified";
    TotpEnabled "totp_enabled";
    TotpDisabled "totp_disabled";
    TotpReset "totp_reset";
    RecoveryCodesReplaced "recovery_codes_replaced";
    ApiKeyRegenerated "api_key_regenerated";
    ApiKeyCreated "api_key_created";
    ApiKeyRevoked "api_key_revoked";
    ProfileUpdated "user.profile.update";
    SshKeyGenerated "user.ssh_key.generate";
    SshKeyDeleted "user.ssh_key.delete";
    UserInvited "user.invite";
    UserInviteResent "user.invite.resend";
    UserInviteAccepted "user.invite.accept";
    UserCreated "user_created";
    UserUpdated "user_updated";
    UserDeleted "user_deleted";
    UserDeprovisioned "user_deprovisioned";
    RoleChanged "role_changed";
    RolesAssigned "user.roles.assign";
    RoleCreated "role.create";
    RoleEdited "role.edit";
    RoleDeleted "role.delete";
    GroupCreated "group_created";
    GroupUpdated "group_updated";
    GroupDeleted "group_deleted";
    GroupMemberAdded "group_member_added";
    GroupMemberRemoved "group_member_removed";
    GroupMachineAdded "group_machine_added";
    GroupMachineRemoved "group_machine_removed";
    AccessGranted "access_granted";
    AccessRevoked "access_revoked";
    AccessRequested "access_requested";
    AccessRequestCancelled "access_request_cancelled";
    AccessRequestApproved "access_request_approved";
    AccessRequestRejected "access_request_rejected";
    AccessRequestRevoked "access_request_revoked";
    AccessRequestExpired "access_request_expired";
    MachineCreated "machine_created";
    MachineUpdated "machine_updated";
    MachineRegistered "machine_registered";
    MachineKeyRotationAsked "machine_key_rotation_asked";
    MachineKeyRotated "machine_key_rotated";
    MachineDeleted "machine_deleted";
    AgentDuplicate "agent_duplicate";
    MachineHealth "machine_health";
    ExternalLogin "external_login";
    MachineAccess "machine_access";
    CommandExecuted "command_executed";
    CommandCancelled "command_cancelled";
    CommandRefused "command_refused";
    CommandAwaitsApproval "command_awaits_approval";
    CommandApproved "command_approved";
    CommandRejected "command_rejected";
    ServiceDeployed "service.deploy";
    ServiceScriptRun "service.run_script";
    JobCancelled "job.cancel";
    JobRerun "job.rerun";
    ScheduleCreated "schedule.create";
    ScheduleUpdated "schedule.update";
    ScheduleDeleted "schedule.delete";
    ScheduleSwitchedOff "schedule.switch_off";
    SessionRenamed "session_renamed";
    SessionTerminated "session_terminated";
    SessionEnded "session_ended";
    SessionShared "session_shared";
    SessionShareEnded "session_share_ended";
    SessionLinkOpened "session_link_opened";
    SessionJoined "session_joined";
    RecordingDeleted "recording_deleted";
    IssueCreated "issue_created";
    IssueUpdated "issue_updated";
    IssueDeleted "issue_deleted";
    FixAccepted "fix_accepted";
    FixDeleted "fix_deleted";
    CommentDeleted "comment_deleted";
    OrganizationCreated "organization_created";
    OrganizationUpdated "organization_updated";
    OrganizationDeleted "organization_deleted";
    SettingsChanged "settings_changed";
    VaultPasswordChanged "vault_password_changed";
    BrandingChanged "branding_changed";
    WebhookCreated "webhook_created";
    WebhookUpdated "webhook_updated";
    WebhookDeleted "webhook_deleted";
    WebhookDisabled "webhook_disabled";
    WebhookSecretRotated "webhook_secret_rotated";
    AlertRuleCreated "alert_rule_created";
    AlertRuleUpdated "alert_rule_updated";
    AlertRuleDeleted "alert_rule_deleted";
    AlertAcknowledged "alert_acknowledged";
    AuditExported "audit_exported";
    ServiceConfigEdited "service.config.edit";
    ServiceFileUploaded "service.file.upload";
    ServiceFileEdited "service.file.edit";
    ServiceFileDeleted "service.file.delete";
    InstancesRefreshed "instance.refresh";
    InstanceStopped "instance.stop";
    InstanceSsh "instance.ssh";
    ServerSsh "inventory.server.ssh";
    SshHostTrusted "ssh.host_trusted";
    InstanceDestroyed "instance.destroy";
    ServiceStopped "service.stop";
    AllStopped "system.stop_all";
    CostsRefreshed "costs.refresh";
    ProviderKeySet "instance.provider.set";
    ProviderKeyRemoved "instance.provider.remove";
    InventoryTypeCreated "inventory.type.create";
    InventoryTypeUpdated "inventory.type.update";
    InventoryTypeDeleted "inventory.type.delete";
    InventoryCreated "inventory.create";
    InventoryUpdated "inventory.update";
    InventoryDeleted "inventory.delete";
    InventoryTagged "inventory.object.tags";
    InventorySecretRevealed "inventory.reveal";
    InventoryTagCreated "inventory.tag.create";
    InventoryTagUpdated "inventory.tag.update";
    InventoryTagDeleted "inventory.tag.delete";
    InventoryTagPermissionAdded "inventory.tag.permission.add";
    InventoryTagPermissionRemoved "inventory.tag.permission.remove";
    InventoryAclAdded "inventory.acl.add";
    InventoryAclSet "inventory.acl.set";
    InventoryAclRemoved "inventory.acl.remove";
    InventorySynced "inventory.sync";
    InventoryExported "inventory.export";
    InventoryServiceConfigEdited "inventory.service.config.edit";
    /// An action of a type, by the name that the type gives it ([`Event::named`]).
    InventoryActionRun "inventory.action";
    /// Two of these, which deserve more of a look.
    InventoryInstanceStopped "inventory.action.stop";
    InventoryInstanceDestroyed "inventory.action.destroy";
    Denied "denied";
}

/// The kind of thing it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of things")]
pub enum Resource {
    Auth,
    User,
    Role,
    Organization,
    Group,
    Machine,
    Terminal,
    Service,
    Job,
    Schedule,
    Instance,
    Costs,
    Inventory,
    Tag,
    Issue,
    Webhook,
    Alert,
    Audit,
    Unknown,
}

impl Resource {
    /// What kind of thing it was done to, as the first part of a path: `roles` of `roles/15`.
    pub fn collection(word: &str) -> &str {
        match word {
            "user" => "users",
            "role" => "roles",
            "organization" => "organizations",
            "group" => "groups",
            "machine" => "machines",
            "terminal" => "terminals",
            "service" => "services",
            "job" => "jobs",
            "schedule" => "schedules",
            "instance" => "instances",
            "tag" => "tags",
            "issue" => "issues",
            "webhook" => "webhooks",
            "alert" => "alerts",
            other => other,
        }
    }

    /// What an operation is about, by its path.
    pub fn of_endpoint(endpoint: &str) -> Self {
        let area = endpoint
            .trim_start_matches("/api/")
            .trim_start_matches("/v1/")
            .split('/')
            .next()
            .unwrap_or_default();
        match area {
            "auth" | "login" | "signup" | "oidc" | "api-keys" => Self::Auth,
            "users" | "profile" => Self::User,
            "roles" => Self::Role,
            "organization" | "admin" => Self::Organization,
            "groups" => Self::Group,
            "machines" | "commands" | "access-requests" => Self::Machine,
            "terminal" | "sessions" | "shares" => Self::Terminal,
            "services" => Self::Service,
            "jobs" => Self::Job,
            "schedules" => Self::Schedule,
            "instances" => Self::Instance,
            "costs" => Self::Costs,
            "inventory" => Self::Inventory,
            "community" => Self::Issue,
            "webhooks" => Self::Webhook,
            "alerts" => Self::Alert,
            "audit" | "audit-logs" => Self::Audit,
            _ => Self::Unknown,
        }
    }

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::User => "user",
            Self::Role => "role",
            Self::Organization => "organization",
            Self::Group => "group",
            Self::Machine => "machine",
            Self::Terminal => "terminal",
            Self::Service => "service",
            Self::Job => "job",
            Self::Schedule => "schedule",
            Self::Instance => "instance",
            Self::Costs => "costs",
            Self::Inventory => "inventory",
            Self::Tag => "tag",
            Self::Issue => "issue",
            Self::Webhook => "webhook",
            Self::Alert => "alert",
            Self::Audit => "audit",
            Self::Unknown => "unknown",
        }
    }
}

/// How a request came: by which client, to which operation.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who sent it, as far as it says.
    pub client: Client,
    pub method: Method,
    /// Its path as the API document writes it, so that no token in a path gets into the log.
    pub endpoint: String,
    /// How it is answered if it succeeds.
    pub success: StatusCode,
}

impl Argument for RequestContext {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Ok(Self::from_parts(&asked.parts))
    }
}

impl RequestContext {
    /// How the request with this head came.
    pub fn from_parts(parts: &Parts) -> Self {
        // Where one operation asks another, it is the one that was asked for.
        if let Some(context) = parts.extensions.get::<Self>() {
            return context.clone();
        }
        let path = parts.extensions.get::<MatchedPath>();
        let success = match parts.headers.contains_key(UPGRADE) {
            true => StatusCode::SWITCHING_PROTOCOLS,
            false => StatusCode::OK,
        };
        Self {
            success,
            endpoint: path.map(|path| path.as_str().to_owned()).unwrap_or_default(),
            method: parts.method.clone(),
            client: Client::from_headers(&parts.headers),
        }
    }

    /// Of what no request did, but this program.
    pub fn of_nobody(client: Client) -> Self {
        Self {
            client,
            method: Method::default(),
            endpoint: String::new(),
            success: StatusCode::default(),
        }
    }

    /// A request of a test.
    #[cfg(test)]
    pub fn of_a_test() -> Self {
        Self {
            client: Client {
                address: "192.0.2.1".to_owned(),
                user_agent: "test".to_owned(),
                source: "ui".to_owned(),
            },
            method: Method::POST,
            endpoint: "/test".to_owned(),
            success: StatusCode::OK,
        }
    }

    /// Something that this request did.
    pub fn event(&self, action: Action, resource: Resource) -> Event {
        Event {
            context: Some(self.clone()),
            answered: Some(self.success),
            ..Event::of(action, resource)
        }
    }
}

/// Something that happened. By default it succeeded and nobody's name is known.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) action: Action,
    /// What follows the action's word, where people name what they do themselves.
    pub(super) name: Option<String>,
    pub(super) resource: Resource,
    pub(super) resource_id: Option<String>,
    pub(super) organization: Option<ObjectId>,
    pub(super) user: Option<ObjectId>,
    pub(super) username: String,
    pub(super) context: Option<RequestContext>,
    /// The program it was done with, where that is known without a request.
    pub(super) client: Option<Client>,
    /// The status of a success; none if no request did it.
    pub(super) answered: Option<StatusCode>,
    /// The status and the words of a failure.
    pub(super) failure: Option<(u16, String)>,
    /// When it happened, if that was not just now.
    pub(super) at: Option<String>,
    pub(super) details: Map<String, Value>,
}

impl Event {
    /// Something that no request did.
    pub fn of(action: Action, resource: Resource) -> Self {
        Self {
            action,
            name: None,
            resource,
            resource_id: None,
            organization: None,
            user: None,
            username: String::new(),
            context: None,
            client: None,
            answered: None,
            failure: None,
            at: None,
            details: Map::new(),
        }
    }

    /// Which of the things that people name themselves was done: `deploy` makes `inventory.action.deploy` of `inventory.action`.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.chars().take(MAX_ACTION_NAME).collect());
        self
    }

    /// The word that is stored for what was done.
    pub fn word(&self) -> String {
        match &self.name {
            Some(name) => [self.action.as_str(), ".", name].concat(),
            None => self.action.as_str().to_owned(),
        }
    }

    /// In which organization's log it belongs.
    pub fn within(mut self, organization: &ObjectId) -> Self {
        self.organization = Some(organization.clone());
        self
    }

    /// Who did it.
    pub fn by(mut self, user: &ObjectId, username: &str) -> Self {
        self.user = Some(user.clone());
        self.username = username.to_owned();
        self
    }

    /// The name somebody gave who could not prove it.
    pub fn claimed_by(mut self, username: &str) -> Self {
        self.username = username.chars().take(MAX_NAME).collect();
        self
    }

    /// What it was done to.
    pub fn on(mut self, id: impl ToString) -> Self {
        self.resource_id = Some(id.to_string());
        self
    }

    /// More about it. Never a secret.
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// It made something, which is answered 201.
    pub fn created(mut self) -> Self {
        self.answered = Some(StatusCode::CREATED);
        self
    }

    /// No request did it, but this program.
    pub fn with(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// It happened at this time, which is RFC 3339 in UTC with milliseconds.
    pub fn at(mut self, time: &str) -> Self {
        self.at = Some(time.to_owned());
        self
    }

    /// It was refused or went wrong: the status of the answer and its words.
    pub fn failed(mut self, status: u16, error: &str) -> Self {
        self.failure = Some((status, error.to_owned()));
        self
    }
}

/// Longest name of an action that people name, in characters: as long as one of the inventory's may be.
const MAX_ACTION_NAME: usize = 50;

/// Longest name kept of somebody who could not prove it.
const MAX_NAME: usize = 254;
