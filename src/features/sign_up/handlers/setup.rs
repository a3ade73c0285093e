//! The first account of a server. It can be made this way once.
use protocol::api::auth::{Setup, SetupStatus, SignedIn};
use protocol::api::error::ErrorBody;
use serde::Deserialize;

use crate::audit::{Action, RequestContext, Resource};
use crate::auth::throttle;
use crate::features::sign_in::finish;
use crate::features::sign_in::state::SignInState;
use crate::features::sign_up::first_account::{self, FirstAccount};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Query, flag, statements};
use crate::platform::error::ApiError;

/// The slug and name of the organization that setting up makes. Both can be changed, the name at any time.
const ORGANIZATION: (&str, &str) = ("default", "Default");

statements! {
    STATUS = "SELECT EXISTS (SELECT 1 FROM setup WHERE one = 1) OR EXISTS (SELECT 1 FROM users WHERE int_id > 0) AS complete,
         EXISTS (SELECT 1 FROM setup s JOIN organizations o ON o.id = s.organization_id
                 WHERE s.one = 1 AND o.vault_sealed IS NOT NULL) AS vault_set";
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(deserialize_with = "flag")]
    complete: bool,
    #[serde(deserialize_with = "flag")]
    vault_set: bool,
}

/// Whether somebody has to set this server up.
#[utoipa::path(get, path = "/api/auth/setup-required", summary = "Read whether there is an account",
    responses((status = 200, description = "Whether there is", body = SetupStatus)))]
pub async fn required(app: App) -> Result<Json<SetupStatus>, ApiError> {
    status(&app).await.map(Json)
}

async fn status(app: &App) -> Result<SetupStatus, ApiError> {
    let rows = app.db()?.run(Query::<Status>::new(STATUS, [])).await?;
    let row = rows
        .first()
        .ok_or_else(|| ApiError::internal("a query of one row gave none"))?;
    Ok(SetupStatus {
        setup_required: !row.complete,
        setup_complete: row.complete,
        vault_set: row.vault_set,
    })
}

/// Makes the first account, a super administrator, and signs it in.
#[utoipa::path(post, path = "/api/auth/setup", summary = "Make the first account", request_body = Setup,
    responses((status = 200, description = "The account", body = SignedIn),
        (status = 400, description = "There is an account already, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn setup(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<Setup>,
) -> Result<Json<SignedIn>, ApiError> {
    throttle::attempt(&app, &context.client, "setup").await?;
    let completed = || ApiError::bad_request("Setup already completed");
    if status(&app).await?.setup_complete {
        return Err(completed());
    }
    let email = request.email().unwrap_or_default().to_lowercase();
    let first = FirstAccount {
        username: &request.username,
        email: &email,
        password: &request.password,
        first_name: "",
        last_name: "",
        organization: ORGANIZATION,
        vault_password: request.vault_password(),
    };
    let event = context.event(Action::Setup, Resource::Auth);
    let account = first_account::make(&app, first, event).await?.ok_or_else(completed)?;
    let rows = std::slice::from_ref(&account);
    let state = SignInState::begin(&context.client.source, "setup", false, rows)?;
    finish::sign_in(&app, &context, &state, rows, &account).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    fn status(db: &TestDb) -> (bool, bool) {
        let row = db.run(Query::<Status>::new(STATUS, [])).remove(0);
        (row.complete, row.vault_set)
    }

    #[test]
    fn setting_up_is_possible_where_nobody_has_an_account() {
        let db = TestDb::new();
        assert_eq!(status(&db), (false, false));
        db.user("ann", "acme", "user");
        assert_eq!(status(&db), (true, false));
        db.execute(
            "INSERT INTO setup SELECT 1, id, 'x' FROM organizations; UPDATE organizations SET vault_sealed = 'sealed'",
        );
        assert_eq!(status(&db), (true, true));
    }
}
