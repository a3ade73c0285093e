//! The shell of the relay: sockets, storage, alarm. It tells the state machine what happened and does what it decides.
mod announce;
mod arrival;
mod asks;
mod buffers;
mod command;
mod hear;
mod jobs;
mod perform;
mod recording;
mod services;
mod time;
mod watch;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use protocol::ids::ObjectId;
use protocol::json;
use protocol::relay_contract::{
    AGENT_PATH, AskStatus, CANCEL_COMMAND_PATH, CANCEL_JOB_PATH, CLOSE_PATH, COMMAND_PATH, COMMAND_RESULT_PATH,
    DECIDE_COMMAND_PATH, DESTROY_PATH, JOB_NEWS_PATH, NamedSession, PRESENCE_PATH, RECHECK_PATH, REQUEST_ID_HEADER,
    ROTATE_KEY_PATH, RotateKey, SERVICE_PATH, SESSIONS_PATH, START_JOB_PATH, STATUS_PATH, STRANGER_PATH,
    THRESHOLDS_PATH, VIEWER_PATH, WATCH_PATH,
};
use protocol::terminal::{PING, PONG};
use worker::{
    DurableObject, Env, Error, Method, Request, Response, Result, State, WebSocket, durable_object, js_sys,
    wasm_bindgen,
};

use self::arrival::told;
use self::buffers::Buffers;
use self::perform::Rest;
use crate::log;
use crate::relay::{Catalog, Chunk, Memory, RelayState, Settings, Socket};
use crate::settings;
use crate::storage::Storage;
use crate::watch::Watch;

/// How long an agent has to say what its shells do, in milliseconds. Those who ask wait a second in all.
const DESCRIBED_WITHIN: u64 = 500;

/// How often it is looked whether it has, or has done what it was asked.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The Durable Object of one machine. What its sockets say it hears in `hear`.
#[durable_object(alarm)]
pub struct Relay {
    state: State,
    env: Env,
    storage: Result<Storage>,
    live: RefCell<Live>,
}

/// What the object holds in memory. Never borrowed over an await.
struct Live {
    relay: RelayState,
    sockets: HashMap<Socket, WebSocket>,
    next_socket: u32,
    /// When the alarm is set for; unknown after a loss of memory.
    alarm: Option<Option<u64>>,
    ticking: bool,
    delivering: bool,
    /// What a runner told of last, until it is stored…
    catalog: Option<Catalog>,
    /// …and whether one is being stored.
    storing: bool,
    /// The machine's organization, once it was asked for. It stays the same.
    organization: Option<ObjectId>,
    retry_at: Option<u64>,
    /// Those who watch jobs…
    watches: BTreeMap<Socket, Watch>,
    /// …and when one is to be told more that no news brings.
    watch_at: Option<u64>,
    /// What is to be put into the bucket and is not on its way.
    puts: VecDeque<Chunk>,
    /// Until when somebody waits for what is recorded.
    recording_at: Option<u64>,
    /// When watchers were last about to get their turn.
    turning_at: Option<u64>,
    buffers: Buffers,
    /// What was decided at a message and has to be waited for.
    left: Option<Rest>,
}

impl DurableObject for Relay {
    fn new(state: State, env: Env) -> Self {
        if let Ok(pair) = worker::WebSocketRequestResponsePair::new(PING, PONG) {
            state.set_websocket_auto_response(&pair);
        }
        let settings = settings::read(&env);
        let storage = Storage::open(state.storage().sql());
        let live = RefCell::new(Live::restore(&state, settings, &storage));
        Self {
            state,
            env,
            storage,
            live,
        }
    }

    /// Lines of the log are of the request that asks.
    async fn fetch(&self, req: Request) -> Result<Response> {
        match req.headers().get(REQUEST_ID_HEADER)? {
            Some(id) => log::Scope::new(id).run(self.route(req)).await,
            None => self.route(req).await,
        }
    }

    /// Ends what is due. Idempotent: what is not due stays.
    async fn alarm(&self) -> Result<Response> {
        {
            let mut live = self.live.borrow_mut();
            (live.alarm, live.watch_at) = (Some(None), None);
        }
        let seen = self.agent_seen();
        self.event(|relay, now| relay.expire(now, seen)).await;
        self.run_watchers().await;
        self.deliver().await;
        Response::empty()
    }
}

impl Live {
    fn restore(state: &State, settings: Settings, storage: &Result<Storage>) -> Self {
        let mut sockets = HashMap::new();
        let mut memories = Vec::new();
        let mut watches = BTreeMap::new();
        let mut next_socket = 0;
        for ws in state.get_websockets() {
            let Some(socket) = socket_of(state, &ws) else { continue };
            next_socket = next_socket.max(socket.0 + 1);
            let memory = ws.deserialize_attachment::<String>().ok().flatten().unwrap_or_default();
            if let Ok(memory) = json::from_str::<Memory>(&memory) {
                memories.push((socket, memory));
            } else if let Ok(watch) = json::from_str::<Watch>(&memory) {
                watches.insert(socket, watch);
            }
            sockets.insert(socket, ws);
        }
        let records = match storage.as_ref().map(Storage::records) {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => {
                log::error(&format!("records cannot be read: {error}"));
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        let relay = RelayState::restore(settings, records, memories, now());
        Self {
            relay,
            sockets,
            next_socket,
            alarm: None,
            ticking: false,
            delivering: false,
            catalog: None,
            storing: false,
            organization: None,
            retry_at: None,
            watches,
            watch_at: None,
            puts: VecDeque::new(),
            recording_at: None,
            turning_at: None,
            buffers: Buffers::default(),
            left: None,
        }
    }
}

impl Relay {
    /// The routes of [`protocol::relay_contract`].
    async fn route(&self, req: Request) -> Result<Response> {
        if let Err(error) = &self.storage {
            return Err(Error::RustError(format!(
                "the relay's storage cannot be opened: {error}"
            )));
        }
        match (req.method(), req.path().as_str()) {
            (Method::Get, AGENT_PATH) => self.accept_agent(&req).await,
            (Method::Get, VIEWER_PATH) => self.accept_viewer(&req).await,
            (Method::Post, STATUS_PATH) => self.status(req).await,
            (Method::Post, THRESHOLDS_PATH) => self.judge_by(req).await,
            (Method::Post, ROTATE_KEY_PATH) => self.rotate_key(req).await,
            (Method::Get, STRANGER_PATH) => self.accept_stranger(&req).await,
            (Method::Get, SESSIONS_PATH) => self.sessions().await,
            (Method::Post, CLOSE_PATH) => self.close_session(req).await,
            (Method::Post, COMMAND_PATH) => self.run_command(req).await,
            (Method::Post, CANCEL_COMMAND_PATH) => self.cancel_command(req).await,
            (Method::Post, DECIDE_COMMAND_PATH) => self.decide_command(req).await,
            (Method::Post, COMMAND_RESULT_PATH) => self.command_result(req).await,
            (Method::Post, SERVICE_PATH) => self.ask_service(req).await,
            (Method::Post, START_JOB_PATH) => self.start_job(req).await,
            (Method::Post, CANCEL_JOB_PATH) => self.cancel_job(req).await,
            (Method::Post, JOB_NEWS_PATH) => self.tell_of_job(req).await,
            (Method::Get, WATCH_PATH) => self.accept_watcher(&req).await,
            (Method::Post, PRESENCE_PATH) => self.presence(req).await,
            (Method::Post, RECHECK_PATH) => self.recheck().await,
            (Method::Post, DESTROY_PATH) => {
                self.event(|relay, now| relay.destroy(now)).await;
                self.record().await;
                // Its jobs are over, as their rows say.
                self.hint_watchers(None);
                self.run_watchers().await;
                Response::empty().map(|response| response.with_status(204))
            }
            _ => Response::error("not a route of the relay", 404),
        }
    }

    /// What is known now. What was found on that occasion, the directory hears first.
    async fn status(&self, mut req: Request) -> Result<Response> {
        let AskStatus { interest } = told(&mut req).await?;
        let seen = self.agent_seen();
        let mut status = None;
        self.event(|relay, now| status = Some(relay.status(now, seen, interest)))
            .await;
        Response::from_json(&status)
    }

    async fn judge_by(&self, mut req: Request) -> Result<Response> {
        let thresholds = told(&mut req).await?;
        self.event(|relay, _| relay.judge_by(thresholds)).await;
        Response::empty().map(|response| response.with_status(204))
    }

    async fn rotate_key(&self, mut req: Request) -> Result<Response> {
        let RotateKey { challenge } = told(&mut req).await?;
        let mut told = false;
        self.event(|relay, _| told = relay.rotate_key(challenge)).await;
        Response::from_json(&told)
    }

    /// What sessions do now, as far as the agent says it in time.
    async fn sessions(&self) -> Result<Response> {
        let asked = self.live.borrow_mut().relay.describe(now());
        self.event(|_, _| {}).await;
        if let Some(told) = asked {
            let until = now() + DESCRIBED_WITHIN;
            while self.live.borrow().relay.descriptions() == told {
                if now() >= until {
                    self.live.borrow_mut().relay.not_described();
                    break;
                }
                worker::Delay::from(LOOK_AGAIN).await;
            }
        }
        Response::from_json(&self.live.borrow().relay.live_sessions())
    }

    async fn close_session(&self, mut req: Request) -> Result<Response> {
        let NamedSession { session } = told(&mut req).await?;
        self.event(|relay, now| {
            relay.close_session(now, &session);
        })
        .await;
        Response::empty().map(|response| response.with_status(204))
    }

    async fn presence(&self, mut req: Request) -> Result<Response> {
        let NamedSession { session } = told(&mut req).await?;
        Response::from_json(&self.live.borrow().relay.presence_at(&session))
    }

    async fn recheck(&self) -> Result<Response> {
        match self.event(|relay, now| relay.recheck(now)).await {
            true => Response::empty().map(|response| response.with_status(204)),
            false => Response::error("the rights cannot be looked at just now", 503),
        }
    }

    fn storage(&self) -> Result<&Storage> {
        self.storage
            .as_ref()
            .map_err(|error| Error::RustError(error.to_string()))
    }
}

fn now() -> u64 {
    js_sys::Date::now() as u64
}

fn socket_of(state: &State, ws: &WebSocket) -> Option<Socket> {
    state.get_tags(ws).first()?.parse().ok().map(Socket)
}
