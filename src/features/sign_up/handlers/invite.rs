//! Accepting an invitation.
use axum::Json;
use protocol::api::auth::{AcceptInvite, AcceptInviteByToken, LoginAnswer};
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::throttle;
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::accounts::{password, store};
use crate::features::sign_in::finish;
use crate::features::sign_in::state::SignInState;
use crate::http::extract::{PathParam, ValidJson};
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, now, statements};
use crate::platform::error::ApiError;

statements! {
    /// The mail has shown that the address is its owner's.
    ACCEPT = "UPDATE users SET password_hash = ?2, pending = 0, invite_accepted_at = ?4, email_verified = 1, must_reset_password = 0,
           display_name = CASE WHEN ?3 = '' THEN display_name ELSE ?3 END, token_version = token_version + 1, updated_at = ?4
         WHERE id = ?1 AND pending = 1";
}

/// Chooses the first password of somebody who was invited, and signs in.
#[utoipa::path(post, path = "/api/auth/invite/{token}", summary = "Accept an invitation",
    params(("token" = String, Path, description = "From the mail")), request_body = AcceptInvite,
    responses((status = 200, description = "A token", body = LoginAnswer),
        (status = 400, description = "The invitation does not work, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
#[worker::send]
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
#[worker::send]
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
        set(&invited.id, &hash, display_name.trim(), &now()),
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

fn set(user: &ObjectId, hash: &str, display_name: &str, now: &str) -> Query<Nothing> {
    Query::new(ACCEPT, [user.into(), hash.into(), display_name.into(), now.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn an_invitation_is_accepted_once_and_keeps_the_name_that_was_given() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.execute("UPDATE users SET pending = 1, display_name = 'Ann'");
        let ann = db.caller("ann").id().clone();
        db.run(set(&ann, "first", "", "2026-01-01T00:00:00.000Z"));
        db.run(set(&ann, "second", "Annie", "2026-01-01T00:00:00.000Z"));
        let row = db.run(store::find_account(&ann)).remove(0);
        assert_eq!(
            (row.password_hash.as_str(), row.display_name.as_str()),
            ("first", "Ann")
        );
        assert!(row.is_active && row.email_verified);
    }
}
