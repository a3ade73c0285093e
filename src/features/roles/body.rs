//! From a role's row to the body that clients see.
use protocol::api::roles::{OrganizationRole, RolePermission, RoleType};

use super::row::FoundRole;
use crate::auth::permission::{ALL, Permission};

impl From<FoundRole> for OrganizationRole {
    fn from(row: FoundRole) -> Self {
        let allowed = |permission: &&Permission| {
            row.is_system || row.permissions.iter().any(|codename| codename == permission.codename())
        };
        Self {
            permissions: ALL
                .iter()
                .filter(allowed)
                .map(|permission| shown(*permission))
                .chain(row.generated)
                .collect(),
            id: row.id,
            display_name: row.name.clone(),
            name: row.name,
            description: row.description,
            r#type: RoleType::Custom,
            is_system: row.is_system,
            created_at: row.created_at,
            user_count: row.user_count,
        }
    }
}

fn shown(permission: Permission) -> RolePermission {
    RolePermission {
        id: permission.id(),
        codename: permission.codename().to_owned(),
        category: permission.category().to_owned(),
        label: permission.label().to_owned(),
    }
}
