//! Watching a job: a socket at the runner's relay, or a stream of events that is made from one.
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::try_unfold;
use protocol::api::error::ErrorBody;
use protocol::api::jobs::JobEvent;
use protocol::ids::ObjectId;
use protocol::relay_contract::{Telling, WATCH_PATH, WatchContext};
use protocol::terminal::job_watch::{ToWatcher, WatchClose, event_of_error, lines_of_events};
use serde::Deserialize;
use utoipa::IntoParams;
use worker::send::SendFuture;
use worker::{Delay, WebSocket, WebSocketPair, WebsocketEvent};

use crate::auth::caller::{Caller, Credentials, bearer};
use crate::features::jobs::access::JobAccess;
use crate::features::jobs::store;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::relay_stub::Upgraded;

/// How often a stream without news says that it is there: networks take one that is silent for a minute for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What it says then: a comment.
const STILL_HERE: &str = ": \r\n\r\n";

/// How often a relay that is lost is asked again…
const TRIES: usize = 30;

/// …and how soon.
const PAUSE: Duration = Duration::from_secs(1);

/// What opens the socket, and from where it goes on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WatchQuery {
    /// What proves the account, for clients that cannot send a header. It counts before the header.
    token: Option<String>,
    /// How many lines the client has already: they are not sent again.
    from: Option<String>,
}

/// Watches a job: what it has written, from its first line on, and then what it writes, until it is over. Each frame is JSON: a `status`, an
/// `output` for each line, and `done`; somebody who may not is told `error`, and why by the code with which the socket closes.
#[utoipa::path(get, path = "/api/jobs/ws/{job_id}", summary = "Watch a job (WebSocket)",
    params(("job_id" = String, Path, description = "The job's `id`"), WatchQuery),
    responses((status = 101, description = "The socket is open, also to somebody who may not: its frames say what is wrong"),
        (status = 401, description = "The Authorization header has no bearer token", body = ErrorBody),
        (status = 403, description = "The page's origin may not open sockets here", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn watch_job(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    PathParam(job_id): PathParam,
    QueryParams(query): QueryParams<WatchQuery>,
) -> Result<Response, ApiError> {
    check_upgrade(&headers)?;
    check_origin(&app, &uri, &headers)?;
    let from = match query.from.filter(|from| !from.is_empty()) {
        Some(from) => from
            .parse::<u64>()
            .map_err(|_| ApiError::invalid_field("from", "must be a number of lines"))?,
        None => 0,
    };
    let token = match query.token.filter(|token| !token.is_empty()) {
        Some(token) => Some(token),
        None => bearer(&headers)?.map(str::to_owned),
    };
    let seen = match token {
        Some(token) => sees(&app, &token, &job_id).await,
        None => Err(ApiError::unauthorized("Token required")),
    };
    match seen {
        Ok((caller, access)) => open(&app, &caller, &access, from).await,
        Err(error) => refuse(error),
    }
}

/// Opens a socket in which a job is told of, from a line on, for whoever sees it.
pub async fn open(app: &App, caller: &Caller, access: &JobAccess, from: u64) -> Result<Response, ApiError> {
    let context = context(caller, access, Telling::Frames, from);
    match app
        .relay(at(caller, access))?
        .upgrade(WATCH_PATH, &context, None)
        .await?
    {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a watcher {status}"))),
    }
}

async fn sees(app: &App, token: &str, job_id: &str) -> Result<(Caller, JobAccess), ApiError> {
    let credentials = Credentials::of_bearer(app, token).await?;
    let find = store::find(credentials.user_id(), job_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Ok((caller, JobAccess::decide(found)?))
}

/// A socket that is told why it is none.
fn refuse(error: ApiError) -> Result<Response, ApiError> {
    let close = match error.status() {
        StatusCode::UNAUTHORIZED => WatchClose::Unauthorized,
        StatusCode::FORBIDDEN => WatchClose::Forbidden,
        StatusCode::NOT_FOUND => WatchClose::NotFound,
        _ => return Err(error),
    };
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    server.accept()?;
    let message = error.text();
    server.send_with_str(ToWatcher::Error { message }.encode())?;
    server.close(Some(close.code()), Some(close.reason()))?;
    Ok(worker::Response::from_websocket(client)?.into())
}

fn context(caller: &Caller, access: &JobAccess, telling: Telling, from: u64) -> WatchContext {
    WatchContext {
        job: access.found().id.clone(),
        user: caller.id().clone(),
        proof: caller.relay_proof(),
        from,
        telling,
    }
}

/// At which relay a job is watched: its runner's, which hears of it first. A job without one is the edge's own, which tells the relay of its
/// organization; or its runner is gone, so that it is over, and any relay tells of it.
fn at<'a>(caller: &'a Caller, access: &'a JobAccess) -> &'a ObjectId {
    access.found().machine_id.as_ref().unwrap_or(caller.organization_id())
}

/// Watches a job as a stream of events (Server-Sent Events): one for each line that it has written and then writes, and `done` with its status
/// at the end. Of a job that is not there the stream says so.
#[utoipa::path(get, path = "/api/jobs/{job_id}/stream", summary = "Watch a job (events)",
    params(("job_id" = String, Path, description = "The job's `id`")),
    responses((status = 200, description = "The events, each as this says", body = JobEvent, content_type = "text/event-stream"),
        (status = 403, description = "It is somebody else's, or the caller may see no jobs", body = ErrorBody)))]
pub async fn stream_job(
    app: App,
    credentials: Credentials,
    PathParam(job_id): PathParam,
) -> Result<Response, ApiError> {
    let find = store::find(credentials.user_id(), &job_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let body = match JobAccess::decide(found) {
        Ok(access) => {
            let following = Following {
                context: context(&caller, &access, Telling::Events, 0),
                at: at(&caller, &access).clone(),
                app,
                socket: None,
                is_over: false,
            };
            Body::from_stream(try_unfold(following, |following| SendFuture::new(next(following))))
        }
        Err(error) if error.status() == StatusCode::NOT_FOUND => Body::from(event_of_error(error.text())),
        Err(error) => return Err(error),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A stream of events on its way. The relay is asked for more when the client has taken what came before, so nothing waits here.
struct Following {
    app: App,
    at: ObjectId,
    /// With how many lines it has had.
    context: WatchContext,
    socket: Option<WebSocket>,
    is_over: bool,
}

async fn next(mut following: Following) -> Result<Option<(Bytes, Following)>, String> {
    if following.is_over {
        return Ok(None);
    }
    for _ in 0..TRIES {
        match following.ask().await {
            Ok(events) => {
                let (lines, is_over) = lines_of_events(&events);
                following.is_over = is_over;
                if events != STILL_HERE {
                    following.context.from += lines;
                }
                return Ok(Some((events.into(), following)));
            }
            Err(error) => {
                log::error(&format!("a job's stream has lost its relay: {}", error.cause()));
                following.socket = None;
                Delay::from(PAUSE).await;
            }
        }
    }
    Err("the relay of a job is out of reach".to_owned())
}

impl Following {
    /// The next events, or a comment if there are none for a while.
    async fn ask(&mut self) -> Result<String, ApiError> {
        if self.socket.is_none() {
            let socket = self.app.relay(&self.at)?.socket(WATCH_PATH, &self.context).await?;
            socket.accept()?;
            self.socket = Some(socket);
        }
        let socket = self.socket.as_ref().ok_or_else(|| ApiError::internal("no socket"))?;
        let mut events = socket.events()?;
        // What comes while nobody listens is lost, so it says what it has.
        socket.send_with_str(self.context.from.to_string())?;
        match select(events.next(), Delay::from(KEEP_ALIVE)).await {
            Either::Left((Some(Ok(WebsocketEvent::Message(message))), _)) => {
                message.text().ok_or_else(|| ApiError::internal("no text"))
            }
            Either::Left(_) => Err(ApiError::internal("the socket was closed")),
            Either::Right(_) => Ok(STILL_HERE.to_owned()),
        }
    }
}
