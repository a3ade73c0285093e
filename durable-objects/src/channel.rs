//! The channel of one organization: those who listen are told what others tell it. It decides nothing and keeps nothing; who may
//! listen, the Worker has looked at, and for how long is written on their sockets, which outlive the object's memory.
use protocol::live::{COME_BACK, LISTEN_PATH, MAX_FRAME, SUBPROTOCOL, TELL_PATH, UNTIL_HEADER};
use protocol::terminal::{PING, PONG};
use worker::{
    DurableObject, Env, Method, Request, Response, Result, ScheduledTime, State, WebSocket, WebSocketIncomingMessage,
    WebSocketPair, durable_object, js_sys, wasm_bindgen,
};

/// How many listen at a time, a page each. The platform holds 32,768 sockets for an object; what is told goes to each.
const MAX_LISTENERS: usize = 2_000;

/// The Durable Object of one organization.
#[durable_object]
pub struct Channel {
    state: State,
}

impl DurableObject for Channel {
    fn new(state: State, _env: Env) -> Self {
        if let Ok(pair) = worker::WebSocketRequestResponsePair::new(PING, PONG) {
            state.set_websocket_auto_response(&pair);
        }
        Self { state }
    }

    /// The routes of [`protocol::live`].
    async fn fetch(&self, mut req: Request) -> Result<Response> {
        match (req.method(), req.path().as_str()) {
            (Method::Get, LISTEN_PATH) => self.listen(&req).await,
            (Method::Post, TELL_PATH) => {
                let frame = req.text().await?;
                if frame.len() > MAX_FRAME {
                    return Response::error("a frame is longer than all topics", 400);
                }
                for socket in self.state.get_websockets() {
                    // One that is closing hears of it no more.
                    let _ = socket.send_with_str(&frame);
                }
                Response::empty().map(|response| response.with_status(204))
            }
            _ => Response::error("not a route of the channel", 404),
        }
    }

    /// Those who listen have nothing to say.
    async fn websocket_message(&self, _ws: WebSocket, _message: WebSocketIncomingMessage) -> Result<()> {
        Ok(())
    }

    async fn websocket_close(&self, ws: WebSocket, _code: usize, _reason: String, _was_clean: bool) -> Result<()> {
        // Completes the closing handshake; fails harmlessly where the platform has done so.
        let _ = ws.close(Some(1000), Some(""));
        Ok(())
    }

    async fn websocket_error(&self, _ws: WebSocket, _error: worker::Error) -> Result<()> {
        Ok(())
    }

    /// Sends away those whose time is over, and wakes again for the next.
    async fn alarm(&self) -> Result<Response> {
        let now = worker::Date::now().as_millis();
        let mut next = None;
        for socket in self.state.get_websockets() {
            match socket.deserialize_attachment::<f64>()?.map(|until| until as u64) {
                Some(until) if until > now => next = Some(next.map_or(until, |at: u64| at.min(until))),
                _ => drop(socket.close(Some(COME_BACK), Some("Come back"))),
            }
        }
        if let Some(at) = next {
            self.wake_at(at).await?;
        }
        Response::empty()
    }
}

impl Channel {
    async fn listen(&self, req: &Request) -> Result<Response> {
        let until = req.headers().get(UNTIL_HEADER)?.and_then(|text| text.parse().ok());
        let Some(until) = until else {
            return Response::error("until when?", 400);
        };
        if self.state.get_websockets().len() >= MAX_LISTENERS {
            return Response::error("too many listen", 503);
        }
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        self.state.accept_web_socket(&server);
        server.serialize_attachment(until as f64)?;
        // Later ones wait longer: the first alarm stands.
        if self.state.storage().get_alarm().await?.is_none() {
            self.wake_at(until).await?;
        }
        let mut response = Response::from_websocket(client)?;
        response.headers_mut().set("sec-websocket-protocol", SUBPROTOCOL)?;
        Ok(response)
    }

    async fn wake_at(&self, at: u64) -> Result<()> {
        let at = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
        self.state.storage().set_alarm(ScheduledTime::new(at)).await
    }
}
