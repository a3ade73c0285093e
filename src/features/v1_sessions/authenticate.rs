//! Who a socket of this API is, once its first frame has said so. Asked by the machine's relay, which has the socket, and by the Worker
//! for sockets that bring their proof along or lead nowhere.
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use protocol::api::secret::Secret;
use protocol::api::sessions::SessionStatus;
use protocol::ids::{ObjectId, SessionId};
use protocol::relay_contract::{Dialect, SignIn, ViewerContext};
use protocol::terminal::Size;
use protocol::terminal::sessions_v1::{MAX_PROOF, Refusal};
use worker::Env;

use super::handlers::create::TOKEN_PREFIX;
use crate::auth::caller::{Caller, Credentials};
use crate::features::sessions::access::SessionAccess;
use crate::features::sessions::store::{self, token};
use crate::platform::background::Background;
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::{log, random};

/// Somebody who has proven their account.
struct Somebody {
    user: ObjectId,
    username: String,
    proof: SignIn,
}

impl From<&Caller> for Somebody {
    fn from(caller: &Caller) -> Self {
        Self {
            user: caller.id().clone(),
            username: caller.username().to_owned(),
            proof: caller.relay_proof(),
        }
    }
}

/// Answers a relay: as whom a socket comes into a session of its machine. Handed to the relays' crate when the Worker starts.
pub fn answer(
    env: Env,
    machine: ObjectId,
    session: SessionId,
    token: Secret,
    address: String,
) -> LocalBoxFuture<'static, Result<ViewerContext, Refusal>> {
    Box::pin(async move {
        let config = Config::from_env(&env).map_err(|error| unavailable(error.to_string()))?;
        // Nothing that is asked here is done behind an answer.
        let app = App::new(Arc::new(config), env, Background::new(drop)).asked_from(address);
        who(&app, session.as_str(), Some(&machine), token.expose()).await
    })
}

/// As whom a token lets its bearer into a session. A session on another machine than `machine`, if one is named, is none.
pub async fn who(app: &App, session: &str, machine: Option<&ObjectId>, token: &str) -> Result<ViewerContext, Refusal> {
    if token.len() > MAX_PROOF {
        return Err(Refusal::Unauthorized);
    }
    if !token.starts_with(TOKEN_PREFIX) {
        let (caller, access) = bearer(app, token, session).await?;
        let row = access.into_row();
        return match machine.is_none_or(|machine| *machine == row.machine_id) {
            true => come_in(app, row.machine_id, row.session_id, Somebody::from(&caller)).await,
            false => Err(Refusal::NotFound),
        };
    }
    let session: SessionId = session.parse().map_err(|_| Refusal::Unauthorized)?;
    let holder = app
        .db()
        .map_err(failed)?
        .run(token::find(token, &session, &now()))
        .await;
    let holder = holder.map_err(|error| failed(error.into()))?.into_iter().next();
    let holder = holder.filter(|holder| machine.is_none_or(|machine| *machine == holder.machine_id));
    let holder = holder.ok_or(Refusal::Unauthorized)?;
    let somebody = Somebody {
        proof: SignIn {
            address: app.client_address().to_owned(),
            ..holder.proof()
        },
        user: holder.user_id,
        username: holder.username,
    };
    come_in(app, holder.machine_id, session, somebody).await
}

/// Whether a token proves anything at all, where there is no session that it could open.
pub async fn known(app: &App, token: &str) -> Result<(), Refusal> {
    if token.len() > MAX_PROOF || token.starts_with(TOKEN_PREFIX) {
        return Err(Refusal::Unauthorized);
    }
    let credentials = Credentials::of_bearer(app, token).await.map_err(failed)?;
    let db = app.db().map_err(failed)?;
    credentials
        .load(&db, ())
        .await
        .map(drop)
        .map_err(|_| Refusal::Unauthorized)
}

/// The account that a token proves, and its right to a session of its own.
async fn bearer(app: &App, token: &str, session: &str) -> Result<(Caller, SessionAccess), Refusal> {
    let credentials = Credentials::of_bearer(app, token).await.map_err(failed)?;
    let find = store::find(credentials.user_id(), session);
    let db = app.db().map_err(failed)?;
    let loaded = credentials.load(&db, find).await;
    // Who may do nothing at all, such as a key for reading, has proven nothing here.
    let (caller, found) = loaded.map_err(|error| match error.status().is_client_error() {
        true => Refusal::Unauthorized,
        false => failed(error),
    })?;
    let access = SessionAccess::decide(found).map_err(failed)?;
    match access.is_own() {
        true => Ok((caller, access)),
        false => Err(Refusal::Forbidden),
    }
}

/// Writes down that somebody came. That they still may, the relay asks anyway before it lets anybody in.
async fn come_in(
    app: &App,
    machine: ObjectId,
    session: SessionId,
    somebody: Somebody,
) -> Result<ViewerContext, Refusal> {
    let enter = token::come_in(&session, &machine, &somebody.user, &now());
    let status = token::status(&session, &machine, &somebody.user);
    let (came, status) = app
        .db()
        .map_err(failed)?
        .run((enter, status))
        .await
        .map_err(|error| failed(error.into()))?;
    let Some(came) = came.into_iter().next() else {
        return Err(match status.first().map(|row| row.status) {
            Some(SessionStatus::Closed) => Refusal::Ended,
            Some(SessionStatus::Active) | None => Refusal::NotFound,
        });
    };
    // A server without a bucket records nothing.
    let recording = match came.records && app.recordings().is_ok() {
        true => Some(random::object_id().map_err(|error| unavailable(error.to_string()))?),
        false => None,
    };
    Ok(ViewerContext {
        machine,
        agent_id: came.agent_id,
        user: somebody.user,
        username: somebody.username,
        proof: somebody.proof,
        session,
        opening: came.openings,
        size: Size {
            cols: came.cols,
            rows: came.rows,
        },
        dialect: Dialect::SessionsV1,
        can_type: true,
        guest: false,
        allow_sudo: came.may_sudo,
        recording,
        limits: came.limits,
        ssh: None,
        refusal: None,
    })
}

/// What a failure is to a socket.
fn failed(error: ApiError) -> Refusal {
    match error.status().as_u16() {
        404 => Refusal::NotFound,
        403 => Refusal::Forbidden,
        400..=499 => Refusal::Unauthorized,
        _ => unavailable(error.cause().to_owned()),
    }
}

fn unavailable(cause: String) -> Refusal {
    log::error(&format!("a socket could not be let in: {cause}"));
    Refusal::Unavailable
}
