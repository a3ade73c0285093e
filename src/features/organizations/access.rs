//! Rights over organizations: administrators change the settings of their own, super administrators everything of any.
use protocol::ids::ObjectId;

use super::row::OrganizationRow;
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// SQL: the caller (`u`) may change the organization (`o`).
macro_rules! administers {
    () => {
        "(u.role = 'super_admin' OR (u.role = 'company_admin' AND o.id = u.organization_id))"
    };
}

/// SQL: the account (`u`) of the organization (`o`) may make machines.
macro_rules! may_create_machines {
    () => {
        "(u.role <> 'user' OR o.admins_create_machines = 0)"
    };
}

/// SQL: what each session on the machines of the organization (`o`) may do, as JSON.
macro_rules! session_limits {
    () => {
        "json_object('idle_minutes', o.terminal_idle_minutes, 'max_processes', o.max_processes, 'max_memory_mb', o.max_memory_mb)"
    };
}

/// SQL: what was over before is kept no longer at ?1, where an organization keeps it for so many days.
macro_rules! kept_since {
    ($days:literal) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%fZ', ?1, '-' || ", $days, " || ' days')")
    };
}
pub(crate) use {administers, kept_since, may_create_machines, session_limits};

/// The right to read and change the settings of one organization.
#[derive(Debug)]
pub struct OrganizationControl {
    organization: OrganizationRow,
    caller: Caller,
}

/// The right to disable one organization, and to delete it with everything in it.
#[derive(Debug)]
pub struct OrganizationEnd(OrganizationControl);

impl OrganizationControl {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<OrganizationRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Organization not found")),
            Some(organization) => Ok(Self { organization, caller }),
        }
    }

    /// The organization as it was found.
    pub fn organization(&self) -> &OrganizationRow {
        &self.organization
    }

    /// The organization, for good.
    pub fn into_organization(self) -> OrganizationRow {
        self.organization
    }

    pub fn id(&self) -> &ObjectId {
        &self.organization.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The right to shut the organization's people out: of super administrators, over others' organizations.
    pub fn end(self) -> Result<OrganizationEnd, ApiError> {
        if !self.caller.is_super_admin() {
            Err(ApiError::not_authorized())
        } else if self.id() == self.caller.organization_id() {
            Err(ApiError::conflict(
                "own_organization",
                "You belong to this organization: disabling or deleting it would shut you out",
            ))
        } else if self.organization.is_platform {
            Err(ApiError::conflict(
                "platform_organization",
                "The organization of those who run this server cannot be disabled or deleted",
            ))
        } else {
            Ok(OrganizationEnd(self))
        }
    }
}

impl OrganizationEnd {
    /// The organization as it was found.
    pub fn organization(&self) -> &OrganizationRow {
        self.0.organization()
    }

    pub fn id(&self) -> &ObjectId {
        self.0.id()
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        self.0.caller()
    }
}
