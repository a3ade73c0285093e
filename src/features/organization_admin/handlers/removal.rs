//! Deleting an organization with everything in it.
use futures_util::future::join_all;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::organizations::DeleteOrganization;
use serde::Deserialize;
use utoipa::IntoParams;

use super::control;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::machines::store::end::{self as machines_end, AT_ONCE, Doomed};
use crate::features::organization_admin::store;
use crate::features::organizations::row::OrganizationRow;
use crate::features::profile;
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{OptionalJson, PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Whether to delete an organization that has people.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// `true` deletes it with everything in it.
    force: Option<bool>,
}

/// Deletes an organization: its people, machines, groups and sessions; what the audit log says of it stays. This cannot be
/// undone. After a failure half-way, doing it again finishes the work.
#[utoipa::path(delete, path = "/api/admin/organizations/{organization_id}", summary = "Delete an organization",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug"), DeleteQuery),
    request_body = Option<DeleteOrganization>,
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody),
        (status = 409, description = "It has people and nobody said to delete them, or it is the caller's own or the platform's", body = ErrorBody)))]
pub async fn delete_organization(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
    QueryParams(query): QueryParams<DeleteQuery>,
    OptionalJson(request): OptionalJson<DeleteOrganization>,
) -> Result<Json<Message>, ApiError> {
    let end = control(&app, credentials, &organization_id).await?.end()?;
    let confirm = request.and_then(|request| request.confirm);
    agreed(end.organization(), query.force == Some(true), confirm.as_deref())?;

    let (db, now) = (app.db()?, now());
    let shut_out = (store::disable(&end, &now), machines_end::revoke_all(&end, &now));
    let (_, mut machines) = db.run((shut_out, machines_end::find_some(&end))).await?;
    // Before their sessions are forgotten.
    revocation::withdraw(&app, Whose::Anyone).await?;
    let more = machines.len() > AT_ONCE;
    machines.truncate(AT_ONCE);
    destroy_relays(&app, &machines).await?;
    let delete_machines = machines_end::delete_some(&end, &machines)?;
    if more {
        db.run(delete_machines).await?;
        return Err(ApiError::conflict(
            "unfinished",
            "The organization has very many machines: some are deleted, and its people are shut out. Do it again",
        ));
    }
    // In the log of whoever did it: the organization's own has no reader any more.
    let event = end
        .caller()
        .event(Action::OrganizationDeleted, Resource::Organization)
        .on(end.id())
        .detail("organization", end.organization().slug.as_str())
        .detail("display_name", end.organization().name.as_str())
        .detail("user_count", end.organization().user_count)
        .detail("machine_count", end.organization().machine_count);
    let (_, (_, people, _), _) = db
        .run((delete_machines, store::delete(&end), audit::record(&event)))
        .await?;
    profile::forget_avatars(&app, people.into_iter().map(|gone| (gone.id, gone.avatar_url)));
    Ok(Json(Message {
        message: "Organization deleted successfully".to_owned(),
    }))
}

/// An organization with people is deleted only by somebody who says that this is meant.
fn agreed(organization: &OrganizationRow, force: bool, confirm: Option<&str>) -> Result<(), ApiError> {
    match confirm {
        Some(name) if name == organization.slug => Ok(()),
        Some(_) => Err(ApiError::invalid_field(
            "confirm",
            format!("must be the organization's name, {}", organization.slug),
        )),
        None if force || organization.user_count == 0 => Ok(()),
        None => Err(ApiError::conflict(
            "organization_has_users",
            "Cannot delete organization with existing users",
        )
        .with_user_count(organization.user_count)),
    }
}

async fn destroy_relays(app: &App, machines: &[Doomed]) -> Result<(), ApiError> {
    let ends = machines
        .iter()
        .map(async |machine| app.relay(&machine.id)?.destroy().await);
    join_all(ends).await.into_iter().collect()
}
