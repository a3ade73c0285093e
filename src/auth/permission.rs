//! What a role can allow. The list is the published one; its order gives the numbers that clients store, so permissions are
//! added at the end and never reordered.
/// Declares the permissions once: name, codename, category, label and what it is for.
macro_rules! permissions {
    ($($name:ident $codename:literal $category:literal $label:literal $description:literal;)*) => {
        /// One thing that a role can allow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Permission {
            $(#[doc = $description] $name),*
        }

        /// All of them, in the order of their numbers.
        pub const ALL: &[Permission] = &[$(Permission::$name),*];

        impl Permission {
            /// Its name in tokens, roles and errors.
            pub fn codename(self) -> &'static str {
                match self { $(Self::$name => $codename),* }
            }

            /// The family it is listed under.
            pub fn category(self) -> &'static str {
                match self { $(Self::$name => $category),* }
            }

            /// Its name for people.
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// One sentence for people.
            pub fn description(self) -> &'static str {
                match self { $(Self::$name => $description),* }
            }
        }
    };
}

permissions! {
    InstancesView "instances.view" "instances" "View Instances" "See the cloud instances and what they cost.";
    InstancesStop "instances.stop" "instances" "Stop Instances" "Halt or destroy a cloud instance.";
    InstancesSsh "instances.ssh" "instances" "SSH Access" "Open a shell on a cloud instance.";
    InstancesRefresh "instances.refresh" "instances" "Refresh Instances" "Ask the provider for the list of instances again.";
    ServicesView "services.view" "services" "View Services" "See the services that can be deployed.";
    ServicesDeploy "services.deploy" "services" "Deploy Services" "Deploy services and run their scripts.";
    ServicesStop "services.stop" "services" "Stop Services" "Stop a running service.";
    ServicesConfigView "services.config.view" "services" "View Configs" "Read the configuration files of services.";
    ServicesConfigEdit "services.config.edit" "services" "Edit Configs" "Change the configuration files of services.";
    ServicesFilesView "services.files.view" "services" "View Files" "Read the files of services.";
    ServicesFilesEdit "services.files.edit" "services" "Edit Files" "Upload, change and delete the files of services.";
    JobsViewOwn "jobs.view_own" "jobs" "View Own Jobs" "See the jobs one has started.";
    JobsViewAll "jobs.view_all" "jobs" "View All Jobs" "See everybody's jobs.";
    JobsCancel "jobs.cancel" "jobs" "Cancel Jobs" "Cancel a job that runs.";
    UsersView "users.view" "users" "View Users" "See the people of the organization.";
    UsersCreate "users.create" "users" "Create Users" "Invite people and create their accounts.";
    UsersEdit "users.edit" "users" "Edit Users" "Change and disable accounts.";
    UsersDelete "users.delete" "users" "Delete Users" "Remove accounts.";
    UsersAssignRoles "users.assign_roles" "users" "Assign Roles" "Give roles to people and take them away.";
    RolesView "roles.view" "roles" "View Roles" "See the roles and what they allow.";
    RolesCreate "roles.create" "roles" "Create Roles" "Make new roles.";
    RolesEdit "roles.edit" "roles" "Edit Roles" "Change what a role allows.";
    RolesDelete "roles.delete" "roles" "Delete Roles" "Remove roles nobody has.";
    SystemSettingsView "system.settings.view" "system" "View Settings" "See the organization's settings.";
    SystemSettingsEdit "system.settings.edit" "system" "Edit Settings" "Change the organization's settings.";
    SystemStopAll "system.stop_all" "system" "Stop All" "Stop everything that runs at once.";
    SystemAuditLog "system.audit_log" "system" "Audit Log" "Read and export the audit log.";
    CostsView "costs.view" "costs" "View Costs" "See what the infrastructure costs.";
    CostsRefresh "costs.refresh" "costs" "Refresh Costs" "Ask the provider for costs again.";
    InventoryTagsManage "inventory.tags.manage" "inventory" "Manage Tags" "Create, change and delete tags.";
    InventoryAclManage "inventory.acl.manage" "inventory" "Manage ACLs" "Say who may do what with single inventory objects.";
    // Those up to here are as published, with their numbers; those that came since follow.
    JobsRerun "jobs.rerun" "jobs" "Run Jobs Again" "Run a job again with what it was given.";
    SchedulesView "schedules.view" "schedules" "View Schedules" "See what the clock starts, and what became of it.";
    SchedulesCreate "schedules.create" "schedules" "Create Schedules" "Have the clock start jobs, with the right to deploy services.";
    SchedulesEdit "schedules.edit" "schedules" "Edit Schedules" "Change schedules and switch them off and on.";
    SchedulesDelete "schedules.delete" "schedules" "Delete Schedules" "Remove schedules.";
    InventoryTypesManage "inventory.types.manage" "inventory" "Manage Types" "Make, change and remove inventory types.";
}

impl Permission {
    /// Its number, from 1.
    pub fn id(self) -> i64 {
        self as i64 + 1
    }

    /// The permission of an inventory type that lets people do the same: who sees services in the inventory sees them in their own list
    /// (contract).
    pub fn of_inventory(self) -> Option<&'static str> {
        match self {
            Self::InstancesView => Some("inventory.server.view"),
            Self::InstancesStop => Some("inventory.server.destroy"),
            Self::InstancesSsh => Some("inventory.server.ssh"),
            Self::InstancesRefresh => Some("inventory.server.refresh"),
            Self::ServicesView => Some("inventory.service.view"),
            Self::ServicesDeploy => Some("inventory.service.deploy"),
            Self::ServicesStop => Some("inventory.service.stop"),
            Self::ServicesConfigView => Some("inventory.service.config"),
            Self::ServicesFilesView => Some("inventory.service.files"),
            Self::ServicesConfigEdit | Self::ServicesFilesEdit => Some("inventory.service.edit"),
            _ => None,
        }
    }

    /// The permission of a number.
    pub fn from_id(id: i64) -> Option<Self> {
        ALL.iter().copied().find(|permission| permission.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_numbered_from_one_without_gaps() {
        for (index, permission) in ALL.iter().enumerate() {
            assert_eq!(permission.id(), index as i64 + 1);
            assert_eq!(Permission::from_id(permission.id()), Some(*permission));
            assert!(permission.codename().starts_with(permission.category()));
            assert!(permission.description().ends_with('.'));
        }
        assert_eq!(Permission::from_id(0), None);
    }

    #[test]
    fn what_inventory_types_allow_is_what_their_definitions_have() {
        let db = crate::testing::TestDb::new();
        db.user("ann", "acme", "user");
        for codename in ALL.iter().filter_map(|permission| permission.of_inventory()) {
            let known = crate::platform::db::Query::<crate::platform::db::Exists>::new(
                "SELECT 1 FROM inventory_permissions WHERE codename = ?1",
                [codename.into()],
            );
            assert_eq!(db.run(known).len(), 1, "{codename}");
        }
    }

    #[test]
    fn the_published_come_first_in_their_order() {
        let published = "instances.view instances.stop instances.ssh instances.refresh services.view services.deploy services.stop \
             services.config.view services.config.edit services.files.view services.files.edit jobs.view_own jobs.view_all jobs.cancel \
             users.view users.create users.edit users.delete users.assign_roles roles.view roles.create roles.edit roles.delete \
             system.settings.view system.settings.edit system.stop_all system.audit_log costs.view costs.refresh \
             inventory.tags.manage inventory.acl.manage";
        let ours: Vec<&str> = ALL[..31].iter().map(|permission| permission.codename()).collect();
        assert_eq!(ours, published.split_whitespace().collect::<Vec<_>>());
    }
}
