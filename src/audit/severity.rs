//! How much entries deserve to be looked at: what was done says it, and that it failed raises it to a warning at least.
use protocol::api::audit::Severity;

use super::event::Action;
use crate::platform::db::Arg;
use crate::platform::error::ApiError;

impl Action {
    /// How much it deserves to be looked at when it succeeds.
    pub fn severity(self) -> Severity {
        match self {
            // Power over others, somebody's protection taken off, and what cannot be undone.
            Self::Setup
            | Self::RoleChanged
            | Self::TotpReset
            | Self::UserDeleted
            | Self::MachineDeleted
            | Self::RecordingDeleted
            | Self::InstanceDestroyed
            | Self::InventoryInstanceDestroyed
            | Self::OrganizationDeleted => Severity::Critical,
            // Rights, credentials and settings that changed, and the log itself taken away.
            Self::RolesAssigned
            | Self::RoleCreated
            | Self::RoleEdited
            | Self::RoleDeleted
            | Self::GroupDeleted
            | Self::GroupMemberAdded
            | Self::GroupMemberRemoved
            | Self::GroupMachineAdded
            | Self::GroupMachineRemoved
            | Self::AccessGranted
            | Self::AccessRevoked
            | Self::AccessRequestApproved
            | Self::AccessRequestRevoked
            | Self::AccessRequestExpired
            | Self::CommandRefused
            | Self::CommandApproved
            | Self::UserDeprovisioned
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::TotpEnabled
            | Self::TotpDisabled
            | Self::RecoveryCodesReplaced
            | Self::ApiKeyCreated
            | Self::ApiKeyRegenerated
            | Self::ApiKeyRevoked
            | Self::SshKeyGenerated
            | Self::SshKeyDeleted
            | Self::MachineKeyRotationAsked
            | Self::MachineKeyRotated
            | Self::OrganizationUpdated
            | Self::SettingsChanged
            | Self::BrandingChanged
            | Self::WebhookCreated
            | Self::WebhookUpdated
            | Self::WebhookDeleted
            | Self::WebhookDisabled
            | Self::InstanceStopped
            | Self::InventoryInstanceStopped
            | Self::ServiceStopped
            | Self::AllStopped
            | Self::ProviderKeySet
            | Self::ProviderKeyRemoved
            | Self::AlertRuleUpdated
            | Self::AlertRuleDeleted
            | Self::AuditExported => Severity::Warning,
            _ => Severity::Info,
        }
    }
}

/// The severity of an entry with these words in it.
pub fn of(action: &str, status: &str) -> Severity {
    let done = Action::ALL.iter().find(|known| known.as_str() == action);
    let done = done.map_or(Severity::Info, |action| action.severity());
    match status {
        "failure" => done.max(Severity::Warning),
        _ => done,
    }
}

/// The same rule for SQL, as three values: the entries with one of the first actions, and those with the status that have none
/// of the second actions.
pub fn args(severity: Severity) -> Result<[Arg; 3], ApiError> {
    let words = |wanted: &dyn Fn(Severity) -> bool| {
        let actions = Action::ALL.iter().filter(|action| wanted(action.severity()));
        let words: Vec<&str> = actions.map(|action| action.as_str()).collect();
        serde_json::to_string(&words).map(Arg::from).map_err(ApiError::internal)
    };
    let these = words(&|of| of == severity)?;
    Ok(match severity {
        Severity::Critical => [these, Arg::Null, Arg::Null],
        Severity::Warning => [these, "failure".into(), words(&|of| of > severity)?],
        // Also actions that this version does not know.
        Severity::Info => ["[]".into(), "success".into(), words(&|of| of > severity)?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_is_worth_a_look_and_takes_nothing_off() {
        for (action, status, severity) in [
            ("login", "success", Severity::Info),
            ("login_failed", "failure", Severity::Warning),
            ("denied", "failure", Severity::Warning),
            ("access_granted", "success", Severity::Warning),
            ("access_granted", "failure", Severity::Warning),
            ("organization_deleted", "success", Severity::Critical),
            ("organization_deleted", "failure", Severity::Critical),
            ("of a later version", "success", Severity::Info),
            ("of a later version", "failure", Severity::Warning),
        ] {
            assert_eq!(of(action, status), severity, "{action} {status}");
        }
    }
}
