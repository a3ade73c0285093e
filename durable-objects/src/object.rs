//! The shell of the relay: sockets, storage, alarm. It tells the state machine what happened and does what it decides.
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use protocol::ids::ViewerId;
use protocol::relay_contract::{
    AGENT_PATH, AgentContext, CLOSE_PATH, CONTEXT_HEADER, CloseSession, DESTROY_PATH, Dialect, RECHECK_PATH,
    STATUS_PATH, VIEWER_PATH, ViewerContext,
};
use protocol::terminal::{AGENT_SUBPROTOCOL, PING, PONG, VIEWER_SUBPROTOCOL};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{
    DurableObject, Env, Error, Method, Request, Response, Result, ScheduledTime, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, durable_object, js_sys, wasm_bindgen,
};

use crate::authority;
use crate::directory;
use crate::relay::{Action, Arrival, Memory, Notice, Question, RelayState, Settings, Socket, Verdict};
use crate::settings;
use crate::storage::Storage;

/// How often output of published clients is looked at while it waits for time to pass.
const TICK: Duration = Duration::from_millis(50);

/// How often it is looked whether an agent has answered that was asked if it is alive.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How often it is looked whether a delivery that is under way is over.
const DELIVERING: Duration = Duration::from_millis(5);

/// How soon a delivery to the directory that failed is tried again.
const RETRY_MS: u64 = 5_000;

/// The Durable Object of one machine.
#[durable_object]
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
    retry_at: Option<u64>,
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

    /// The routes of [`protocol::relay_contract`].
    async fn fetch(&self, req: Request) -> Result<Response> {
        if let Err(error) = &self.storage {
            return Err(Error::RustError(format!(
                "the relay's storage cannot be opened: {error}"
            )));
        }
        match (req.method(), req.path().as_str()) {
            (Method::Get, AGENT_PATH) => self.accept_agent(&req).await,
            (Method::Get, VIEWER_PATH) => self.accept_viewer(&req).await,
            (Method::Get, STATUS_PATH) => self.status().await,
            (Method::Post, CLOSE_PATH) => self.close_session(req).await,
            (Method::Post, RECHECK_PATH) => self.recheck().await,
            (Method::Post, DESTROY_PATH) => {
                self.event(|relay, now| relay.destroy(now)).await;
                Response::empty().map(|response| response.with_status(204))
            }
            _ => Response::error("not a route of the relay", 404),
        }
    }

    async fn websocket_message(&self, ws: WebSocket, message: WebSocketIncomingMessage) -> Result<()> {
        let Some(socket) = self.identify(&ws) else {
            return Ok(());
        };
        match message {
            WebSocketIncomingMessage::String(text) => {
                self.event(|relay, now| relay.text(now, socket, &text)).await;
            }
            WebSocketIncomingMessage::Binary(bytes) => {
                self.event(|relay, now| relay.binary(now, socket, Bytes::from(bytes)))
                    .await;
            }
        }
        Ok(())
    }

    async fn websocket_close(&self, ws: WebSocket, code: usize, _reason: String, _was_clean: bool) -> Result<()> {
        if let Some(socket) = self.identify(&ws) {
            self.live.borrow_mut().sockets.remove(&socket);
            let code = u16::try_from(code).unwrap_or(1006);
            self.event(|relay, now| relay.closed(now, socket, code)).await;
        }
        // Completes the closing handshake; fails harmlessly where the platform has done so.
        let _ = ws.close(Some(1000), Some(""));
        Ok(())
    }

    async fn websocket_error(&self, ws: WebSocket, _error: Error) -> Result<()> {
        if let Some(socket) = self.identify(&ws) {
            self.live.borrow_mut().sockets.remove(&socket);
            self.event(|relay, now| relay.closed(now, socket, 1006)).await;
        }
        Ok(())
    }

    /// Ends what is due. Idempotent: what is not due stays.
    async fn alarm(&self) -> Result<Response> {
        self.live.borrow_mut().alarm = Some(None);
        let seen = self.agent_seen();
        self.event(|relay, now| relay.expire(now, seen)).await;
        self.deliver().await;
        Response::empty()
    }
}

impl Live {
    fn restore(state: &State, settings: Settings, storage: &Result<Storage>) -> Self {
        let mut sockets = HashMap::new();
        let mut memories = Vec::new();
        let mut next_socket = 0;
        for ws in state.get_websockets() {
            let Some(socket) = socket_of(state, &ws) else { continue };
            next_socket = next_socket.max(socket.0 + 1);
            let memory = ws.deserialize_attachment::<String>().ok().flatten();
            if let Some(memory) = memory.and_then(|text| serde_json::from_str::<Memory>(&text).ok()) {
                memories.push((socket, memory));
            }
            sockets.insert(socket, ws);
        }
        let records = match storage.as_ref().map(Storage::records) {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => {
                worker::console_error!("records cannot be read: {error}");
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
            retry_at: None,
        }
    }
}

impl Relay {
    /// Lets an agent connect whose key is still the machine's, unless the agent that is connected turns out to be alive and
    /// another.
    async fn accept_agent(&self, req: &Request) -> Result<Response> {
        let context: AgentContext = context(req)?;
        let mut asked = None;
        let mut judged_in = None;
        loop {
            let (arrival, epoch) = {
                let mut live = self.live.borrow_mut();
                (live.relay.arrival(now(), &context, asked.clone()), live.relay.epoch())
            };
            match arrival {
                Arrival::Spent => return Response::error("the token has opened a link before", 401),
                Arrival::Duplicate => return Response::error("another agent with this key is connected", 409),
                Arrival::Wait(question) => {
                    asked = Some(question);
                    self.event(|_, _| {}).await;
                    worker::Delay::from(ASK_AGAIN).await;
                }
                // Nothing was withdrawn since the key was looked at.
                Arrival::Welcome if judged_in == Some(epoch) => break,
                Arrival::Welcome => {
                    let question = Question::of_agent(&context.key);
                    let verdict = authority::ask(&self.env, &context.machine, &question).await;
                    if !verdict.map_err(Error::RustError)?.agent {
                        return Response::error("the key is no longer the machine's", 401);
                    }
                    judged_in = Some(epoch);
                }
            }
        }
        let (socket, response) = self.accept(Some(AGENT_SUBPROTOCOL))?;
        self.event(|relay, now| relay.agent_connected(now, socket, context))
            .await;
        Ok(response)
    }

    async fn accept_viewer(&self, req: &Request) -> Result<Response> {
        let context: ViewerContext = context(req)?;
        let subprotocol = (context.dialect == Dialect::Stream).then_some(VIEWER_SUBPROTOCOL);
        let viewer = mint_viewer()?;
        let (socket, response) = self.accept(subprotocol)?;
        self.event(|relay, now| relay.viewer_connected(now, socket, context, viewer))
            .await;
        Ok(response)
    }

    /// Accepts a socket so that it survives hibernation, tagged with its number.
    fn accept(&self, subprotocol: Option<&str>) -> Result<(Socket, Response)> {
        let pair = WebSocketPair::new()?;
        let mut live = self.live.borrow_mut();
        let socket = Socket(live.next_socket);
        live.next_socket += 1;
        self.state
            .accept_websocket_with_tags(&pair.server, &[&socket.0.to_string()]);
        live.sockets.insert(socket, pair.server);
        let mut response = Response::from_websocket(pair.client)?;
        if let Some(subprotocol) = subprotocol {
            response.headers_mut().set("Sec-WebSocket-Protocol", subprotocol)?;
        }
        Ok((socket, response))
    }

    /// What is known now. One that has just woken to be asked tells the directory what it found first.
    async fn status(&self) -> Result<Response> {
        self.event(|_, _| {}).await;
        Response::from_json(&self.live.borrow().relay.status())
    }

    async fn close_session(&self, mut req: Request) -> Result<Response> {
        let CloseSession { session } = req.json().await?;
        self.event(|relay, now| {
            relay.close_session(now, &session);
        })
        .await;
        Response::empty().map(|response| response.with_status(204))
    }

    async fn recheck(&self) -> Result<Response> {
        match self.event(|relay, now| relay.recheck(now)).await {
            true => Response::empty().map(|response| response.with_status(204)),
            false => Response::error("the rights cannot be looked at just now", 503),
        }
    }

    /// Tells the state machine what happened and does what it decides. Answers whether all that had to be asked was answered.
    async fn event(&self, tell: impl FnOnce(&mut RelayState, u64)) -> bool {
        let actions = {
            let mut live = self.live.borrow_mut();
            tell(&mut live.relay, now());
            live.relay.take_actions()
        };
        let answered = self.perform(actions).await;
        self.set_alarm().await;
        self.run_ticks().await;
        answered
    }

    /// Does what was decided, and asks what is to be asked until nothing is left to ask. Answers whether all was answered.
    async fn perform(&self, actions: Vec<Action>) -> bool {
        let mut answered = true;
        let mut questions = self.perform_all(actions).await;
        while let Some(question) = questions.pop() {
            let verdict = self.ask(&question).await;
            answered &= verdict.is_some();
            let actions = {
                let mut live = self.live.borrow_mut();
                live.relay.judged(now(), question, verdict);
                live.relay.take_actions()
            };
            questions.extend(self.perform_all(actions).await);
        }
        answered
    }

    /// Asks, once the directory knows of every end that was decided before the question: a row that is about to be closed must
    /// not let anybody in.
    async fn ask(&self, question: &Question) -> Option<Verdict> {
        let machine = self.live.borrow().relay.machine().cloned()?;
        self.deliver().await;
        while self.live.borrow().delivering {
            worker::Delay::from(DELIVERING).await;
        }
        if self.storage().and_then(Storage::posted).ok()?.is_some() {
            return None;
        }
        match authority::ask(&self.env, &machine, question).await {
            Ok(verdict) => Some(verdict),
            Err(error) => {
                worker::console_error!("rights could not be looked at: {error}");
                None
            }
        }
    }

    /// Does everything but ask; answers the questions.
    async fn perform_all(&self, actions: Vec<Action>) -> Vec<Question> {
        let mut questions = Vec::new();
        let mut notified = false;
        for action in actions {
            let done = match action {
                Action::EraseAll => self.erase_all().await,
                Action::Ask(question) => {
                    questions.push(question);
                    Ok(())
                }
                Action::Notify(notice) => {
                    notified = true;
                    self.post(&notice)
                }
                action => self.perform_now(action),
            };
            if let Err(error) = done {
                worker::console_error!("the relay could not act: {error}");
            }
        }
        if notified {
            self.deliver().await;
        }
        questions
    }

    /// The actions of the keystroke path; none of them waits.
    fn perform_now(&self, action: Action) -> Result<()> {
        let mut live = self.live.borrow_mut();
        match action {
            // A socket that cannot be sent to is closing: its close event follows and tells the state machine.
            Action::Binary(socket, bytes) => {
                let _ = live.sockets.get(&socket).map(|ws| ws.send_with_bytes(&bytes));
            }
            Action::Text(socket, text) => {
                let _ = live.sockets.get(&socket).map(|ws| ws.send_with_str(&text));
            }
            Action::Close(socket, close) => {
                if let Some(ws) = live.sockets.remove(&socket) {
                    let _ = ws.close(Some(close.code()), Some(close.reason()));
                }
            }
            Action::Remember(socket) => {
                if let (Some(ws), Some(memory)) = (live.sockets.get(&socket), live.relay.memory_of(socket)) {
                    ws.serialize_attachment(serde_json::to_string(&memory)?)?;
                }
            }
            Action::Save(record) => self.storage()?.save(&record)?,
            Action::Erase(key) => self.storage()?.erase(key)?,
            Action::EraseAll | Action::Notify(_) | Action::Ask(_) => {}
        }
        Ok(())
    }

    fn post(&self, notice: &Notice) -> Result<()> {
        self.storage()?.post(notice)
    }

    async fn erase_all(&self) -> Result<()> {
        self.state.storage().delete_alarm().await?;
        self.state.storage().delete_all().await?;
        // The object may be asked again before it is evicted.
        Storage::open(self.state.storage().sql())?;
        self.live.borrow_mut().alarm = Some(None);
        Ok(())
    }

    /// Brings the waiting notices to the directory. What fails stays and is tried again from the alarm.
    async fn deliver(&self) {
        if std::mem::replace(&mut self.live.borrow_mut().delivering, true) {
            return;
        }
        let delivered = self.deliver_all().await;
        let mut live = self.live.borrow_mut();
        live.delivering = false;
        live.retry_at = None;
        if let Err(error) = delivered {
            worker::console_error!("the directory did not take a notice: {error}");
            live.retry_at = Some(now() + RETRY_MS);
        }
    }

    async fn deliver_all(&self) -> Result<()> {
        let db = self.env.d1(directory::BINDING)?;
        while let Some((last, notices)) = self.storage()?.posted()? {
            let Some(machine) = self.live.borrow().relay.machine().cloned() else {
                return Ok(());
            };
            directory::deliver(&db, &machine, &notices).await?;
            self.storage()?.delivered(last)?;
        }
        Ok(())
    }

    /// Sets the alarm if something is due before it. An alarm that comes early finds nothing due and is set anew, so
    /// that deadlines which move further away cost no write.
    async fn set_alarm(&self) {
        let wanted = {
            let live = self.live.borrow();
            live.relay.deadline().into_iter().chain(live.retry_at).min()
        };
        let Some(wanted) = wanted else { return };
        let known = self.live.borrow().alarm;
        let storage = self.state.storage();
        let set = match known {
            Some(set) => set,
            None => storage
                .get_alarm()
                .await
                .ok()
                .flatten()
                .and_then(|at| u64::try_from(at).ok()),
        };
        if set.is_some_and(|set| set <= wanted) {
            self.live.borrow_mut().alarm = Some(set);
            return;
        }
        self.live.borrow_mut().alarm = Some(Some(wanted));
        let at = js_sys::Date::new(&JsValue::from_f64(wanted as f64));
        if let Err(error) = storage.set_alarm(ScheduledTime::new(at)).await {
            worker::console_error!("the alarm could not be set: {error}");
            self.live.borrow_mut().alarm = None;
        }
    }

    /// While output of a published client waits for time to pass, lets it pass. The agent sends no more than its
    /// window before this has run.
    async fn run_ticks(&self) {
        {
            let mut live = self.live.borrow_mut();
            if live.ticking || !live.relay.wants_tick() {
                return;
            }
            live.ticking = true;
        }
        loop {
            worker::Delay::from(TICK).await;
            let actions = {
                let mut live = self.live.borrow_mut();
                let Live { relay, sockets, .. } = &mut *live;
                relay.tick(now(), |socket| buffered(sockets.get(&socket)?));
                relay.take_actions()
            };
            self.perform(actions).await;
            let mut live = self.live.borrow_mut();
            if !live.relay.wants_tick() {
                live.ticking = false;
                return;
            }
        }
    }

    fn identify(&self, ws: &WebSocket) -> Option<Socket> {
        socket_of(&self.state, ws)
    }

    /// When the platform last answered the agent's keep-alive; the `worker` crate does not bind that method.
    fn agent_seen(&self) -> Option<u64> {
        let live = self.live.borrow();
        let ws = live.sockets.get(&live.relay.agent_socket()?)?;
        let state: &JsValue = self.state.as_raw().as_ref();
        let method = js_sys::Reflect::get(state, &"getWebSocketAutoResponseTimestamp".into()).ok()?;
        let seen = method
            .dyn_ref::<js_sys::Function>()?
            .call1(state, ws.as_ref().as_ref())
            .ok()?;
        Some(seen.dyn_ref::<js_sys::Date>()?.get_time() as u64)
    }

    fn storage(&self) -> Result<&Storage> {
        self.storage
            .as_ref()
            .map_err(|error| Error::RustError(error.to_string()))
    }
}

/// How much of what was sent to a socket has not left, if the platform says so; the `worker` crate does not bind that property.
fn buffered(ws: &WebSocket) -> Option<u64> {
    let amount = js_sys::Reflect::get(ws.as_ref(), &"bufferedAmount".into()).ok()?;
    Some(amount.as_f64()?.max(0.0) as u64)
}

fn now() -> u64 {
    worker::Date::now().as_millis()
}

fn socket_of(state: &State, ws: &WebSocket) -> Option<Socket> {
    state.get_tags(ws).first()?.parse().ok().map(Socket)
}

fn context<T: serde::de::DeserializeOwned>(req: &Request) -> Result<T> {
    let text = req.headers().get(CONTEXT_HEADER)?;
    let text = text.ok_or_else(|| Error::RustError(format!("{CONTEXT_HEADER} is missing")))?;
    Ok(serde_json::from_str(&text)?)
}

fn mint_viewer() -> Result<ViewerId> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|error| Error::RustError(error.to_string()))?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.parse()
        .map_err(|error: protocol::ids::InvalidId| Error::RustError(error.to_string()))
}
