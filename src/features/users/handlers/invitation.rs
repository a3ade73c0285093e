//! Inviting people: a link by which somebody takes over the account that was made for them.
use chrono::TimeDelta;
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::api::users::Invited;

use super::edit::event;
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::users::body;
use crate::features::users::load::load;
use crate::features::users::row::UserRow;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::mail::{Letter, Link};

/// How long the first password of an account that was made for somebody may take: as long as an invitation.
pub const FIRST_PASSWORD: TimeDelta = TimeDelta::hours(72);

/// Sends an invitation again. Links sent before are void.
#[utoipa::path(post, path = "/api/users/{user_id}/resend-invite", summary = "Send an invitation again",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The new invitation", body = Invited),
        (status = 403, description = "The caller may not invite", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
pub async fn resend_invite(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<Invited>, ApiError> {
    let control = load(&app, credentials, &user_id).await?.control()?;
    let row = control.row();
    if !row.pending {
        return Err(ApiError::bad_request("User has already accepted their invite"));
    }
    let (token, link) = email_link::new(control.id(), Purpose::Invite, &now())?;
    let event = event(&control, Action::UserInviteResent).detail("email", row.email.as_str());
    app.db()?.run((link, audit::record(&event))).await?;
    let body = send(&app, control.caller().username(), row.clone(), token, "invite_resent").await;
    Ok(Json(body))
}

/// Mails an invitation that is in the database already, and says whether that went well.
pub async fn send(app: &App, inviter: &str, row: UserRow, token: Secret, status: &str) -> Invited {
    let letter = Letter::Invitation {
        inviter,
        organization: &row.tenant_name,
        link: Link {
            token: &token,
            lasts: Purpose::Invite.lasts(),
        },
    };
    let invite_sent = app.mailer().send(&row.email, &letter).await.is_ok();
    let base_url = app.config.mail.as_ref().map(|mail| mail.base_url.as_str());
    let url = |base_url| Secret::from(format!("{base_url}/accept-invite/{}", token.expose()));
    Invited {
        status: status.to_owned(),
        invite_sent,
        invite_url: base_url.map(url),
        invite_token: token.clone(),
        token,
        user: body::person(row),
    }
}
