//! The roles that come with the product.
use protocol::api::access::MachineRole;
use protocol::api::auth::Role;
use protocol::api::roles::{RoleDefinition, RoleType};

/// What accounts can be in their organization, the mightiest first.
pub const PORTAL: [Role; 3] = [Role::SuperAdmin, Role::CompanyAdmin, Role::User];

/// What accounts can be on machines.
pub const MACHINE: [MachineRole; 2] = [MachineRole::AllowSudo, MachineRole::NonSudo];

/// A role in an organization by its name.
pub fn portal_by_name(name: &str) -> Option<Role> {
    PORTAL.into_iter().find(|role| role.as_str() == name)
}

/// What a role in an organization is.
pub fn portal(role: Role) -> RoleDefinition {
    let (display_name, description, permissions): (_, _, &[&str]) = match role {
        Role::SuperAdmin => (
            "Super Administrator",
            "Administers every organization of this server.",
            &[
                "manage_all_groups",
                "manage_all_machines",
                "manage_all_users",
                "manage_organizations",
                "system_configuration",
                "view_all_resources",
            ],
        ),
        Role::CompanyAdmin => (
            "Company Admin",
            "Administers the people, groups and machines of one organization.",
            &["manage_groups", "manage_machines", "manage_users", "view_org_resources"],
        ),
        Role::User => (
            "User",
            "Uses the machines that were opened to the account.",
            &["use_assigned_machines", "view_assigned_machines", "view_own_profile"],
        ),
    };
    define(role.as_str(), display_name, description, RoleType::Portal, permissions)
}

/// What a role on machines is.
pub fn machine(role: MachineRole) -> RoleDefinition {
    let (description, permissions): (_, &[&str]) = match role {
        MachineRole::AllowSudo => (
            "Shells may gain privileges, on machines that were enrolled with it.",
            &[
                "execute_sudo_commands",
                "install_packages",
                "manage_services",
                "modify_system_files",
            ],
        ),
        MachineRole::NonSudo => (
            "Shells never gain privileges.",
            &["execute_user_commands", "read_system_info"],
        ),
    };
    define(role.as_str(), role.label(), description, RoleType::Machine, permissions)
}

/// Whether a name is taken by a role that comes with the product, so that no other may have it.
pub fn is_taken(name: &str) -> bool {
    let name = name.to_lowercase();
    portal_by_name(&name).is_some() || MachineRole::parse(&name).is_some()
}

fn define(name: &str, display_name: &str, description: &str, r#type: RoleType, permissions: &[&str]) -> RoleDefinition {
    RoleDefinition {
        id: name.to_owned(),
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        description: description.to_owned(),
        r#type,
        permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_are_found_by_name_and_their_names_are_taken() {
        for role in PORTAL {
            assert_eq!(portal_by_name(&portal(role).id), Some(role));
            assert!(portal(role).permissions.is_sorted());
        }
        for role in MACHINE {
            assert_eq!(MachineRole::parse(&machine(role).display_name), Some(role));
            assert!(machine(role).permissions.is_sorted());
        }
        assert!(is_taken("User") && is_taken("SUDO") && !is_taken("ops"));
    }
}
