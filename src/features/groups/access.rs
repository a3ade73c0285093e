//! Rights over groups. Whoever is in an organization may look at its groups; its administrators change them.
use protocol::ids::ObjectId;

use super::row::GroupRow;
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// SQL: the caller (`u`) may learn that the group (`g`) exists. Others get the answer of an unknown id.
macro_rules! group_in_sight {
    () => {
        "(g.organization_id = u.organization_id OR u.role = 'super_admin')"
    };
}
pub(crate) use group_in_sight;

/// The right to look at one group.
#[derive(Debug)]
pub struct GroupAccess {
    group: GroupRow,
    caller: Caller,
}

/// The right to change and delete one group.
#[derive(Debug)]
pub struct GroupControl(GroupAccess);

impl GroupAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<GroupRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Group not found")),
            Some(group) => Ok(Self { group, caller }),
        }
    }

    pub fn group(&self) -> &GroupRow {
        &self.group
    }

    /// The right to change the group: of an administrator who may look at it.
    pub fn control(self) -> Result<GroupControl, ApiError> {
        if self.caller.is_admin() {
            Ok(GroupControl(self))
        } else {
            Err(ApiError::not_authorized())
        }
    }
}

impl GroupControl {
    /// The group as it was found.
    pub fn group(&self) -> &GroupRow {
        &self.0.group
    }

    pub fn id(&self) -> &ObjectId {
        &self.0.group.id
    }

    pub fn organization_id(&self) -> &ObjectId {
        &self.0.group.organization_id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }
}
