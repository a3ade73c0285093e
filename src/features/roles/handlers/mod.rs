//! Seeing roles and what they can allow.
pub mod change;

use std::collections::BTreeMap;

use protocol::api::error::ErrorBody;
use protocol::api::roles::{
    AnyRole, OrganizationRole, PermissionDefinition, Permissions, RoleDefinition, RoleDefinitions, RoleList,
};

use super::access::RoleAccess;
use super::row::Generated;
use super::{builtin, store};
use crate::auth::caller::Credentials;
use crate::auth::permission::{ALL, Permission};
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::Batch;
use crate::platform::error::ApiError;

/// Lists the roles that come with the product and, for those who may see them, those of the organization.
#[utoipa::path(get, path = "/api/roles", summary = "List roles",
    responses((status = 200, description = "The roles", body = RoleList)))]
pub async fn list_roles(app: App, credentials: Credentials) -> Result<Json<RoleList>, ApiError> {
    let list = store::list(credentials.user_id());
    let (caller, rows) = credentials.load(&app.db()?, list).await?;
    let (portal_roles, machine_roles) = (portal_roles(), machine_roles());
    let built_in = portal_roles.iter().chain(&machine_roles).cloned().map(AnyRole::BuiltIn);
    let rows = rows.into_iter().filter(|_| caller.may(Permission::RolesView));
    let own = rows.map(|row| AnyRole::Organization(OrganizationRole::from(row)));
    let roles: Vec<AnyRole> = built_in.chain(own).collect();
    Ok(Json(RoleList {
        total: roles.len() as u64,
        roles,
        portal_roles,
        machine_roles,
    }))
}

/// Lists what accounts can be in their organization.
#[utoipa::path(get, path = "/api/roles/portal", summary = "List portal roles",
    responses((status = 200, description = "The roles", body = RoleDefinitions)))]
pub async fn list_portal_roles(app: App, credentials: Credentials) -> Result<Json<RoleDefinitions>, ApiError> {
    credentials.load(&app.db()?, ()).await?;
    Ok(definitions(portal_roles()))
}

/// Lists what accounts can be on machines.
#[utoipa::path(get, path = "/api/roles/machine", summary = "List machine roles",
    responses((status = 200, description = "The roles", body = RoleDefinitions)))]
pub async fn list_machine_roles(app: App, credentials: Credentials) -> Result<Json<RoleDefinitions>, ApiError> {
    credentials.load(&app.db()?, ()).await?;
    Ok(definitions(machine_roles()))
}

/// Lists everything that a role can allow.
#[utoipa::path(get, path = "/api/roles/permissions", summary = "List permissions",
    responses((status = 200, description = "The permissions by category", body = Permissions),
        (status = 403, description = "The caller may not see the roles", body = ErrorBody)))]
pub async fn list_permissions(app: App, credentials: Credentials) -> Result<Json<Permissions>, ApiError> {
    let generated = store::generated(credentials.user_id(), None);
    let (_, generated) = credentials.load(&app.db()?, generated).await?;
    Ok(Json(Permissions {
        permissions: catalogue(generated),
    }))
}

/// Reads one role of the organization.
#[utoipa::path(get, path = "/api/roles/{role_id}", summary = "Read a role",
    params(("role_id" = String, Path, description = "The role's number")),
    responses((status = 200, description = "The role", body = OrganizationRole),
        (status = 403, description = "The caller may not see the roles", body = ErrorBody),
        (status = 404, description = "No such role in the caller's organization", body = ErrorBody)))]
pub async fn find_role(
    app: App,
    credentials: Credentials,
    PathParam(role_id): PathParam,
) -> Result<Json<OrganizationRole>, ApiError> {
    let role = load(&app, credentials, &role_id).await?.into_found();
    Ok(Json(role.into()))
}

/// Looks a role up for the caller. What is no number names no role, as 0 does.
pub async fn load(app: &App, credentials: Credentials, role_id: &str) -> Result<RoleAccess, ApiError> {
    Ok(load_with(app, credentials, role_id, ()).await?.0)
}

/// The same, with what else is needed.
pub async fn load_with<B: Batch>(
    app: &App,
    credentials: Credentials,
    role_id: &str,
    more: B,
) -> Result<(RoleAccess, B::Rows), ApiError> {
    let find = store::find(credentials.user_id(), role_id.parse().unwrap_or_default());
    let (caller, (found, more)) = credentials.load(&app.db()?, (find, more)).await?;
    Ok((RoleAccess::decide(caller, found)?, more))
}

fn portal_roles() -> Vec<RoleDefinition> {
    builtin::PORTAL.into_iter().map(builtin::portal).collect()
}

fn machine_roles() -> Vec<RoleDefinition> {
    builtin::MACHINE.into_iter().map(builtin::machine).collect()
}

fn definitions(roles: Vec<RoleDefinition>) -> Json<RoleDefinitions> {
    Json(RoleDefinitions {
        total: roles.len() as u64,
        roles,
    })
}

/// All of them, by category: the fixed ones, and those that are made with inventory types.
fn catalogue(generated: Vec<Generated>) -> BTreeMap<String, Vec<PermissionDefinition>> {
    let mut by_category: BTreeMap<String, Vec<PermissionDefinition>> = BTreeMap::new();
    let fixed = ALL.iter().map(|permission| Generated {
        id: permission.id(),
        codename: permission.codename().to_owned(),
        category: permission.category().to_owned(),
        label: permission.label().to_owned(),
        description: permission.description().to_owned(),
    });
    for permission in fixed.chain(generated) {
        let family = by_category.entry(permission.category).or_default();
        family.push(PermissionDefinition {
            id: permission.id,
            codename: permission.codename,
            label: permission.label,
            description: permission.description,
        });
    }
    for family in by_category.values_mut() {
        family.sort_by(|a, b| a.codename.cmp(&b.codename));
    }
    by_category
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_holds_every_permission_once_in_order() {
        let made = Generated {
            id: 1001,
            codename: "inventory.rack.view".to_owned(),
            category: "inventory.rack".to_owned(),
            label: "View Racks".to_owned(),
            description: "See things of this type.".to_owned(),
        };
        let catalogue = catalogue(vec![made]);
        assert_eq!(catalogue.values().map(Vec::len).sum::<usize>(), ALL.len() + 1);
        for (category, family) in &catalogue {
            assert!(family.is_sorted_by(|a, b| a.codename < b.codename), "{category}");
            assert!(
                family
                    .iter()
                    .all(|permission| permission.codename.starts_with(category.as_str()))
            );
        }
    }
}
