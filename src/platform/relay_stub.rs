//! The Worker's end of `protocol::relay_contract`: asking the Durable Object of one machine.
use std::fmt::Debug;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use protocol::api::commands::CommandResult;
use protocol::api::health::Thresholds;
use protocol::ids::{CommandId, JobId, ObjectId, SessionId};
use protocol::json;
use protocol::relay_contract::{
    self, AskRunner, AskStatus, CancelJob, CommandAnswer, DecideCommand, FilePart, Interest, LiveSession, NamedCommand,
    NamedJob, NamedSession, RotateKey, RunCommand, RunnerAnswer, Status,
};
use protocol::terminal::jobs::StartJob;
use protocol::terminal::presence::Presence;
use protocol::terminal::services::{Ask, Place};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Delay, Env, Headers, Method, Request, RequestInit, Stub, WebSocket};

use super::error::ApiError;
use super::log;

/// How long a page waits for live facts before it makes do with the last known ones. A relay that is awake answers in
/// milliseconds, and one that must be placed anew in a fraction of a second.
const STATUS_TIMEOUT: Duration = Duration::from_secs(1);

/// The relay of one machine.
pub struct RelayStub(Stub);

/// What became of an upgrade.
pub enum Upgraded {
    /// The socket is open.
    Open(Response),
    /// The relay knows better: 409 for a second agent with the key of one that is alive, 401 for a key that has just gone.
    Refused(StatusCode),
}

/// Some of a file, and what is known of all of it.
pub struct FileRead {
    /// The bytes from where it was read.
    pub bytes: Vec<u8>,
    /// The file.
    pub file: FilePart,
}

impl RelayStub {
    /// The relay of `machine`. It comes into being when it is first asked.
    pub fn new(env: &Env, machine: &ObjectId) -> Result<Self, ApiError> {
        let namespace = env
            .durable_object(relay_contract::BINDING)
            .map_err(|_| ApiError::unbound(relay_contract::BINDING))?;
        Ok(Self(namespace.get_by_name(relay_contract::object_name(machine))?))
    }

    /// What the relay knows now, or nothing if it does not say in time. Who is interested in the machine's figures has fresh ones
    /// measured behind the answer.
    pub async fn status(&self, interest: Option<Interest>) -> Option<Status> {
        in_time("status", self.ask(relay_contract::STATUS_PATH, &AskStatus { interest })).await
    }

    /// What sessions on the machine do now, or nothing if the relay does not say in time.
    pub async fn sessions(&self) -> Option<Vec<LiveSession>> {
        in_time("sessions", self.ask_sessions()).await
    }

    async fn ask_sessions(&self) -> worker::Result<Vec<LiveSession>> {
        let request = request(relay_contract::SESSIONS_PATH, Method::Get, Headers::new(), None)?;
        let mut response = self.0.fetch_with_request(request).await?;
        match response.status_code() {
            200 => Ok(json::from_str(&response.text().await?)?),
            status => Err(worker::Error::RustError(format!("status {status}"))),
        }
    }

    /// The machine's thresholds have changed: what its agent says is judged by these from now on.
    pub async fn judge_by(&self, thresholds: &Thresholds) -> Result<(), ApiError> {
        self.tell(relay_contract::THRESHOLDS_PATH, thresholds).await.map(drop)
    }

    /// Has the machine's agent told to replace its key. Answers whether it is there.
    pub async fn rotate_key(&self, challenge: String) -> Result<bool, ApiError> {
        self.ask(relay_contract::ROTATE_KEY_PATH, &RotateKey { challenge })
            .await
    }

    /// Ends one session by order of somebody who may. Succeeds also if it was over.
    pub async fn close(&self, session: &SessionId) -> Result<(), ApiError> {
        let session = session.clone();
        self.tell(relay_contract::CLOSE_PATH, &NamedSession { session })
            .await
            .map(drop)
    }

    /// Who is at a session.
    pub async fn presence(&self, session: &SessionId) -> Result<Vec<Presence>, ApiError> {
        let session = session.clone();
        self.ask(relay_contract::PRESENCE_PATH, &NamedSession { session }).await
    }

    /// Something was withdrawn: the relay looks at the rights of all it has again, and has ended what has none when this
    /// succeeds.
    pub async fn recheck(&self) -> Result<(), ApiError> {
        self.tell(relay_contract::RECHECK_PATH, &()).await.map(drop)
    }

    /// Ends everything: the machine is gone. Succeeds also the second time.
    pub async fn destroy(&self) -> Result<(), ApiError> {
        self.tell(relay_contract::DESTROY_PATH, &()).await.map(drop)
    }

    /// Hands a command over, whose row is written, and waits for its result if it says so. Again, nothing is run twice.
    pub async fn run_command(&self, run: &RunCommand) -> Result<CommandAnswer, ApiError> {
        self.ask(relay_contract::COMMAND_PATH, run).await
    }

    /// Calls a command off by order of somebody who may. Succeeds also if it was over.
    pub async fn cancel_command(&self, command_id: &CommandId) -> Result<(), ApiError> {
        let command_id = command_id.clone();
        self.tell(relay_contract::CANCEL_COMMAND_PATH, &NamedCommand { command_id })
            .await
            .map(drop)
    }

    /// Hands over what was decided of a command that waits for approval. Succeeds also if it waits no more.
    pub async fn decide_command(&self, decided: &DecideCommand) -> Result<(), ApiError> {
        let path = relay_contract::DECIDE_COMMAND_PATH;
        self.tell(path, decided).await.map(drop)
    }

    /// What came of a command that has ended, as long as it is kept.
    pub async fn command_result(&self, command_id: &CommandId) -> Result<Option<CommandResult>, ApiError> {
        let command_id = command_id.clone();
        self.ask(relay_contract::COMMAND_RESULT_PATH, &NamedCommand { command_id })
            .await
    }

    /// Has the machine's agent do something with a service, but for reading a file.
    pub async fn ask_runner(&self, service: &str, ask: Ask) -> Result<RunnerAnswer, ApiError> {
        let service = service.to_owned();
        self.ask(relay_contract::SERVICE_PATH, &AskRunner { service, ask })
            .await
    }

    /// Has it read a file of a service from a byte on, of the version that was read before, as much as is good for one answer.
    pub async fn read_file(
        &self,
        service: &str,
        place: Place,
        from: u64,
        version: Option<String>,
    ) -> Result<Result<FileRead, RunnerAnswer>, ApiError> {
        let (service, ask) = (service.to_owned(), Ask::Read { place, from, version });
        let mut response = self
            .tell(relay_contract::SERVICE_PATH, &AskRunner { service, ask })
            .await?;
        let Some(part) = response.headers().get(relay_contract::PART_HEADER)? else {
            let answer = response.text().await?;
            return Ok(Err(json::from_str(&answer).map_err(ApiError::internal)?));
        };
        let file = json::from_str(&part).map_err(ApiError::internal)?;
        let bytes = response.bytes().await?;
        Ok(Ok(FileRead { bytes, file }))
    }

    /// Has the runner run a job, whose row is written.
    pub async fn start_job(&self, job: &StartJob) -> Result<RunnerAnswer, ApiError> {
        self.ask(relay_contract::START_JOB_PATH, job).await
    }

    /// Has the runner end a job by order of somebody who may. Succeeds also if it is over.
    pub async fn cancel_job(&self, cancel: &CancelJob) -> Result<(), ApiError> {
        self.tell(relay_contract::CANCEL_JOB_PATH, cancel).await.map(drop)
    }

    /// Says that there is more of a job of the edge, which somebody may watch here.
    pub async fn job_news(&self, job: &JobId) -> Result<(), ApiError> {
        let job = job.clone();
        self.tell(relay_contract::JOB_NEWS_PATH, &NamedJob { job })
            .await
            .map(drop)
    }

    // What is said is written before, and what is answered is decoded after: what waits in between is compiled once.

    fn tell<'a>(
        &'a self,
        path: &'static str,
        body: &impl Serialize,
    ) -> LocalBoxFuture<'a, Result<worker::Response, ApiError>> {
        self.post(path, serde_json::to_string(body))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> impl Future<Output = Result<T, ApiError>> {
        let answer = self.text(path, serde_json::to_string(body));
        answer.map(|answer| json::from_str(&answer?).map_err(ApiError::internal))
    }

    fn text(
        &self,
        path: &'static str,
        written: serde_json::Result<String>,
    ) -> LocalBoxFuture<'_, Result<String, ApiError>> {
        Box::pin(async move { Ok(self.post(path, written).await?.text().await?) })
    }

    fn post(
        &self,
        path: &'static str,
        written: serde_json::Result<String>,
    ) -> LocalBoxFuture<'_, Result<worker::Response, ApiError>> {
        Box::pin(async move {
            let body = written.map_err(ApiError::internal)?;
            let request = request(path, Method::Post, Headers::new(), Some(body))?;
            let response = self.0.fetch_with_request(request).await?;
            match response.status_code() {
                200..=299 => Ok(response),
                status => Err(ApiError::internal(format!("the relay answered {status} to {path}"))),
            }
        })
    }

    /// Hands a WebSocket upgrade over. Of the client's request, only the subprotocols go along: what the relay needs to know
    /// is in the context, and what it need not know, such as a token in the URL, stays here.
    pub async fn upgrade(
        &self,
        path: &str,
        context: &impl Serialize,
        subprotocol: Option<&str>,
    ) -> Result<Upgraded, ApiError> {
        let response = self.open(path, serde_json::to_string(context), subprotocol).await?;
        match StatusCode::from_u16(response.status_code()) {
            Ok(StatusCode::SWITCHING_PROTOCOLS) => Ok(Upgraded::Open(response.into())),
            Ok(status @ (StatusCode::CONFLICT | StatusCode::UNAUTHORIZED)) => Ok(Upgraded::Refused(status)),
            _ => Err(ApiError::internal(format!(
                "the relay answered {} to {path}",
                response.status_code()
            ))),
        }
    }

    /// Opens a socket of our own.
    pub async fn socket(&self, path: &str, context: &impl Serialize) -> Result<WebSocket, ApiError> {
        let response = self.open(path, serde_json::to_string(context), None).await?;
        let answered = response.status_code();
        let opened = response.websocket();
        opened.ok_or_else(|| ApiError::internal(format!("the relay answered {answered} to {path}")))
    }

    async fn open(
        &self,
        path: &str,
        context: serde_json::Result<String>,
        subprotocol: Option<&str>,
    ) -> Result<worker::Response, ApiError> {
        let headers = Headers::new();
        headers.set("upgrade", "websocket")?;
        headers.set(relay_contract::CONTEXT_HEADER, &context.map_err(ApiError::internal)?)?;
        if let Some(subprotocol) = subprotocol {
            headers.set("sec-websocket-protocol", subprotocol)?;
        }
        let request = request(path, Method::Get, headers, None)?;
        let response = self.0.fetch_with_request(request).await?;
        match response.status_code() {
            503 => Err(ApiError::unavailable(
                "too_many_watchers",
                "Too many watch jobs of this machine just now; look again in a while",
            )),
            _ => Ok(response),
        }
    }
}

/// What a relay answers, or nothing if it does not in time, or fails: then the log says so.
async fn in_time<T, E: Debug>(what: &str, answer: impl Future<Output = Result<T, E>>) -> Option<T> {
    match select(std::pin::pin!(answer), Delay::from(STATUS_TIMEOUT)).await {
        Either::Left((Ok(answer), _)) => Some(answer),
        Either::Left((Err(error), _)) => {
            log::error(&format!("a relay did not tell its {what}: {error:?}"));
            None
        }
        Either::Right(_) => {
            log::error(&format!("a relay did not tell its {what} in time"));
            None
        }
    }
}

/// A request to an object, with the id of that for which it is asked. It needs a URL, whose host means nothing.
fn request(path: &str, method: Method, headers: Headers, body: Option<String>) -> worker::Result<Request> {
    if let Some(scope) = log::Scope::current() {
        headers.set(relay_contract::REQUEST_ID_HEADER, scope.request_id())?;
    }
    let mut init = RequestInit::new();
    init.with_method(method)
        .with_headers(headers)
        .with_body(body.map(Into::into));
    Request::new_with_init(&format!("https://relay{path}"), &init)
}
