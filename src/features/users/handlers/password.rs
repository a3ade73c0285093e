//! Giving somebody a new password, who has forgotten theirs or should use it no longer.
use protocol::api::auth::StatusOk;
use protocol::api::error::ErrorBody;
use protocol::api::users::ResetPassword;

use super::edit::event;
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::accounts::{self, password};
use crate::features::sessions::revocation::{self, Whose};
use crate::features::users::load::load;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;

/// Sets somebody's password and signs the account out everywhere. Its owner, who is told by mail, must choose another one.
#[utoipa::path(post, path = "/api/users/{user_id}/reset-password", summary = "Set a user's password",
    request_body = ResetPassword, params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The password works", body = StatusOk),
        (status = 403, description = "The caller may not change it", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "Its owner has not accepted the invitation yet", body = ErrorBody)))]
pub async fn reset_user_password(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<ResetPassword>,
) -> Result<Json<StatusOk>, ApiError> {
    let control = load(&app, credentials, &user_id).await?.control()?;
    let row = control.row();
    if control.is_own() {
        let text = "Change your own password at /api/auth/change-password, which asks for the present one";
        return Err(ApiError::bad_request(text));
    }
    if row.pending {
        let text = "The invitation has not been accepted yet: send it again";
        return Err(ApiError::conflict("pending", text));
    }
    let hash = password::hash(request.password.expose())?;
    let event = event(&control, Action::PasswordReset);
    let set = accounts::store::password::set(control.id(), &hash, &now());
    app.db()?
        .run((
            set,
            accounts::store::password::ask_for_another(control.id()),
            audit::record(&event),
        ))
        .await?;
    if !row.email.is_empty() {
        let letter = Letter::PasswordChanged {
            username: &row.username,
        };
        app.mailer().post(&row.email, &letter);
    }
    revocation::withdraw(&app, Whose::User(control.id())).await?;
    Ok(Json(StatusOk {
        status: "ok".to_owned(),
        message: "The password works now; its owner must choose another one".to_owned(),
    }))
}
