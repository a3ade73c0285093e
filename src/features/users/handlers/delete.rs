//! Letting people go.
use protocol::api::auth::Role;
use protocol::api::error::ErrorBody;
use protocol::api::users::Deactivated;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::sessions::revocation::{self, Whose};
use crate::features::users::load::load;
use crate::features::users::store;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;

/// Ends an account: nothing proves it any more, its terminals end, its machines pass to an administrator. Its username stays
/// taken, for the audit log speaks of it.
#[utoipa::path(delete, path = "/api/users/{user_id}", summary = "Delete a user",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account is gone", body = Deactivated),
        (status = 403, description = "The caller may not delete it", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
pub async fn delete_user(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<Deactivated>, ApiError> {
    let access = load(&app, credentials, &user_id).await?;
    if access.is_own() {
        let error = ApiError::bad_request("Cannot delete your own account");
        return Err(error.with_detail("Cannot deactivate your own account"));
    }
    if access.row().role == Role::SuperAdmin {
        return Err(ApiError::forbidden("forbidden", "Cannot delete super admin"));
    }
    let control = access.control()?;
    let row = control.row();
    let event = control
        .caller()
        .event(Action::UserDeleted, Resource::User)
        .within(control.organization_id())
        .on(control.id())
        .detail("username", row.username.as_str())
        // The other published API's word for it.
        .detail("deactivated_username", row.username.as_str())
        .detail("email", row.email.as_str());
    let keep = (row.role != Role::User && row.enabled).then(|| store::keep_an_admin(control.organization_id()));
    let batch = (
        store::delete::delete(&control, &now()),
        Vec::from_iter(keep),
        audit::record(&event),
    );
    app.db()?.run(batch).await.map_err(last_admin)?;
    revocation::withdraw(&app, Whose::User(control.id())).await?;
    Ok(Json(Deactivated {
        message: "User deleted successfully".to_owned(),
        status: "deactivated".to_owned(),
    }))
}

/// What a batch is refused for that ends with [`store::keep_an_admin`].
pub fn last_admin(error: DbError) -> ApiError {
    match error {
        DbError::Refused => ApiError::conflict(
            "last_admin",
            "This is the last administrator of the organization; make another one first",
        ),
        other => other.into(),
    }
}
