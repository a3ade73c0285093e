//! Making accounts for others: with a first password, or by invitation.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::api::auth::Role;
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::api::users::{CreateUser, Invited, PersonDetail};

use super::edit::groups;
use super::invitation;
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::accounts::new_account::NewApiKey;
use crate::features::accounts::store::insert::{NewUser, insert_user};
use crate::features::accounts::{self, password};
use crate::features::groups::store::members;
use crate::features::roles;
use crate::features::users::load::{exactly_one, reload};
use crate::features::users::role_assignment::{machine_role, only_own};
use crate::features::users::row::UserRow;
use crate::features::users::store::home::{Home, find_home};
use crate::features::users::{body, escalation, store};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Db, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::mail::{Letter, Link};
use crate::platform::random;

/// Makes an account. With `password` it can be used at once, and a link to choose another one is mailed; without, its owner is
/// invited.
#[utoipa::path(post, path = "/api/users", summary = "Create or invite a user", request_body = CreateUser,
    responses((status = 201, description = "The account", body = PersonDetail),
        (status = 200, description = "The invitation", body = Invited),
        (status = 403, description = "The caller may not make such an account", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody),
        (status = 409, description = "The username or mail address is taken", body = ErrorBody)))]
pub async fn create_user(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateUser>,
) -> Result<Response, ApiError> {
    let db = app.db()?;
    let email = request.email.to_lowercase();
    let tenant = request.tenant_id.as_deref().filter(|tenant| !tenant.is_empty());
    let home = find_home(credentials.user_id(), tenant, &request.username, &email);
    let (caller, home) = credentials.load(&db, home).await?;
    let home = home
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::not_found("Organization not found"))?;
    if tenant.is_some_and(|tenant| tenant != home.slug) {
        return Err(ApiError::forbidden("forbidden", "Super admin access required")
            .with_detail("tenant_id is not yours to choose"));
    }
    free(&request, &home)?;
    let (role, roles) = roles_of(&db, &caller, &home, &request).await?;
    let machine_role = machine_role(request.machine_role.as_deref().unwrap_or_default());
    if !machine_role.is_empty() {
        escalation::check_machine_role(&caller, machine_role)?;
    }
    let groups = match request.groups.as_deref().filter(|groups| !groups.is_empty()) {
        Some(given) => {
            escalation::check_groups(&caller)?;
            groups(&db, &home.id, given).await?
        }
        None => Default::default(),
    };

    let (id, now) = (random::object_id()?, now());
    let api_key = NewApiKey::make(&app, &id)?;
    let hash = request
        .password
        .as_ref()
        .map(|password| password::hash(password.expose()))
        .transpose()?;
    let trimmed = |name: &Option<String>| name.as_deref().unwrap_or_default().trim().to_owned();
    let (first, last, display) = (
        trimmed(&request.first_name),
        trimmed(&request.last_name),
        trimmed(&request.display_name),
    );
    let new = NewUser {
        id: &id,
        organization: &home.id,
        username: &request.username,
        email: &email,
        password_hash: hash.as_deref().unwrap_or_default(),
        role,
        machine_role,
        first_name: &first,
        last_name: &last,
        display_name: &display,
        api_key_hash: &api_key.hash,
        api_key_sealed: &api_key.sealed,
        invited_by: caller.id(),
        now: &now,
    };
    let (token, link) = match hash {
        Some(_) => email_link::lasting(&id, Purpose::Reset, invitation::FIRST_PASSWORD, &now)?,
        None => email_link::new(&id, Purpose::Invite, &now)?,
    };
    let text = serde_json::to_string(&groups).map_err(ApiError::internal)?;
    let rights = [
        Vec::from(store::set_roles(&id, &home.id, &serde_json::json!(roles).to_string())),
        Vec::from(members::set_of_user(&id, &text, &text, &now)),
    ];
    let event = event(&caller, &new, hash.is_some());
    let find = reload(caller.id(), &id);
    let batch = (insert_user(&new), Vec::from(rights), link, audit::record(&event), find);
    let (_, _, _, _, found) = db.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => taken(hash.is_some(), "Username or email already exists"),
        other => other.into(),
    })?;
    let row = exactly_one(found)?;
    match hash {
        Some(_) => Ok(made(&app, row, &token)),
        None => {
            let body = invitation::send(&app, caller.username(), row, token, "invited").await;
            Ok(Json(body).into_response())
        }
    }
}

/// Refuses names that are taken, in the words and with the status of the form that was used (contract).
fn free(request: &CreateUser, home: &Home) -> Result<(), ApiError> {
    let with_password = request.password.is_some();
    if home.username_taken {
        return Err(taken(with_password, "Username already exists"));
    }
    if home.email_taken {
        return Err(taken(
            with_password,
            if with_password {
                "Email already exists"
            } else {
                "Email already in use"
            },
        ));
    }
    Ok(())
}

fn taken(with_password: bool, text: &'static str) -> ApiError {
    match with_password {
        true => ApiError::conflict("taken", text),
        false => ApiError::bad_request(text),
    }
}

/// What the account is to be, and the numbers of the roles it is to have, as far as the caller may give them.
async fn roles_of(db: &Db, caller: &Caller, home: &Home, request: &CreateUser) -> Result<(Role, Vec<i64>), ApiError> {
    let mut ids = request.role_ids.clone().unwrap_or_default();
    ids.extend(request.role_id);
    let given = match ids.is_empty() {
        true => Vec::new(),
        false => only_own(db.run(roles::store::given(&home.id, &ids)).await?)?,
    };
    escalation::check_roles(caller, &given)?;
    let role = match request.role {
        None | Some(Role::User) if given.iter().any(|role| role.is_system) => Role::CompanyAdmin,
        role => role.unwrap_or(Role::User),
    };
    escalation::check_first_role(caller, role)?;
    Ok((role, given.into_iter().map(|role| role.id).collect()))
}

fn event(caller: &Caller, new: &NewUser, with_password: bool) -> Event {
    let (action, name) = match with_password {
        true => (Action::UserCreated, "username"),
        false => (Action::UserInvited, "invited_username"),
    };
    let event = caller.event(action, Resource::User);
    let event = match with_password {
        true => event.created(),
        // An invitation is answered 200 (contract).
        false => event,
    };
    event
        .within(new.organization)
        .on(new.id)
        .detail(name, new.username)
        .detail("email", new.email)
        .detail("role", new.role.as_str())
}

/// The answer to an account that can be used at once, and the letter to its owner.
fn made(app: &App, row: UserRow, token: &Secret) -> Response {
    let letter = Letter::AccountMade {
        username: &row.username,
        organization: &row.tenant_name,
        link: Link {
            token,
            lasts: invitation::FIRST_PASSWORD,
        },
    };
    app.mailer().post(&row.email, &letter);
    let permissions = accounts::body::permissions(row.role, &row.permissions);
    (
        StatusCode::CREATED,
        Json(PersonDetail::new(body::person(row), Some(permissions))),
    )
        .into_response()
}
