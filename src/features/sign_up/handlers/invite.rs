//! Accepting an invitation.
use protocol::api::auth::{AcceptInvite, AcceptInviteByToken, LoginAnswer};
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::throttle;
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::accounts::{password, store};
use crate::features::sign_in::finish;
use crate::features::sign_in::state::SignInState;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Chooses the first password of somebody who was invited, and signs in.
#[utoipa::path(post, path = "/api/auth/invite/{token}", summary = "Accept an invitation",
    params(("token" = String, Path, description = "From the mail")), request_body = AcceptInvite,
    responses((status = 200, description = "A token", body = LoginAnswer),
        (status = 400, description = "The invitation does not work, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn accept(
    app: App,
    context: RequestContext,
    PathParam(token): PathParam,
    ValidJson(request): ValidJson<AcceptInvite>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let name = request.display_name.as_deref().unwrap_or_default();
    accept_with(&app, &context, &token, &request.password, name)
        .await
        .map(Json)
}

/// The same, with the token in the body.
#[utoipa::path(post, path = "/api/auth/accept-invite", summary = "Accept an invitation",
    request_body = AcceptInviteByToken,
    responses((status = 200, description = "A token", body = LoginAnswer),
        (status = 400, description = "The invitation does not work, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn accept_by_body(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<AcceptInviteByToken>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let name = request.display_name.as_deref().unwrap_or_default();
    accept_with(&app, &context, request.token.expose(), &request.password, name)
        .await
        .map(Json)
}

async fn accept_with(
    app: &App,
    context: &RequestContext,
    token: &str,
    new: &Secret,
    display_name: &str,
) -> Result<LoginAnswer, ApiError> {
    throttle::attempt(app, &context.client, &format!("token:{token}")).await?;
    let invited = email_link::redeem(app, token, Purpose::Invite).await?;
    // An account that was disabled since stays so.
    let invited = invited.filter(|account| {
        account.pending
            && account.disabled_at.is_none()
            && account.deleted_at.is_none()
            && !account.organization_disabled
    });
    let invited = invited.ok_or_else(|| ApiError::bad_request("Invalid or expired invite token"))?;
    let hash = password::hash(new.expose())?;
    let event = context
        .event(Action::UserInviteAccepted, Resource::User)
        .by(&invited.id, &invited.username)
        .within(&invited.organization_id)
        .on(&invited.id);
    let batch = (
        store::password::accept(&invited.id, &hash, display_name.trim(), &now()),
        audit::record(&event),
        store::find_account(&invited.id),
    );
    let (.., rows) = app.db()?.run(batch).await?;
    let account = rows
        .first()
        .ok_or_else(|| ApiError::internal("an invited account is not there"))?;
    let state = SignInState::begin(&context.client.source, "invitation", true, &rows)?;
    finish::proceed(app, context, &state, &rows, account).await
}
