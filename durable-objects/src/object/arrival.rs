//! How sockets are let in.
use std::time::Duration;

use protocol::ids::{InvalidId, ViewerId};
use protocol::recording::LIVE_SUBPROTOCOL;
use protocol::relay_contract::{AgentContext, CONTEXT_HEADER, Dialect, StrangerContext, ViewerContext};
use protocol::terminal::{AGENT_SUBPROTOCOL, VIEWER_SUBPROTOCOL};
use worker::{Error, Request, Response, Result, WebSocketPair};

use super::{Relay, now};
use crate::authority;
use crate::relay::{Arrival, Question, Socket};

/// How often it is looked whether an agent has answered that was asked if it is alive.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Relay {
    /// Lets an agent connect whose key is still the machine's, unless the agent that is connected turns out to be alive and
    /// another.
    pub(super) async fn accept_agent(&self, req: &Request) -> Result<Response> {
        let mut context: AgentContext = context(req)?;
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
                    let verdict = verdict.map_err(Error::RustError)?;
                    if !verdict.agent {
                        return Response::error("the key is no longer the machine's", 401);
                    }
                    context.policies = verdict.policies.map(Box::new);
                    judged_in = Some(epoch);
                }
            }
        }
        let (socket, response) = self.accept(Some(AGENT_SUBPROTOCOL))?;
        self.event(|relay, now| relay.agent_connected(now, socket, context))
            .await;
        Ok(response)
    }

    pub(super) async fn accept_viewer(&self, req: &Request) -> Result<Response> {
        let context: ViewerContext = context(req)?;
        let subprotocol = match context.dialect {
            Dialect::Stream => Some(VIEWER_SUBPROTOCOL),
            Dialect::Cast => Some(LIVE_SUBPROTOCOL),
            Dialect::Published | Dialect::Raw | Dialect::SessionsV1 | Dialect::Ssh => None,
        };
        let viewer = mint_viewer()?;
        let (socket, response) = self.accept(subprotocol)?;
        self.event(|relay, now| relay.viewer_connected(now, socket, context, viewer))
            .await;
        Ok(response)
    }

    pub(super) async fn accept_stranger(&self, req: &Request) -> Result<Response> {
        let context: StrangerContext = context(req)?;
        let (socket, response) = self.accept(None)?;
        self.event(|relay, now| relay.stranger_connected(now, socket, context))
            .await;
        Ok(response)
    }

    /// Accepts a socket so that it survives hibernation, tagged with its number.
    pub(super) fn accept(&self, subprotocol: Option<&str>) -> Result<(Socket, Response)> {
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
}

pub(super) fn context<T: serde::de::DeserializeOwned>(req: &Request) -> Result<T> {
    let text = req.headers().get(CONTEXT_HEADER)?;
    let text = text.ok_or_else(|| Error::RustError(format!("{CONTEXT_HEADER} is missing")))?;
    Ok(protocol::json::from_str(&text)?)
}

/// What a request says.
pub(super) async fn told<T: serde::de::DeserializeOwned>(req: &mut Request) -> Result<T> {
    Ok(protocol::json::from_str(&req.text().await?)?)
}

pub(super) fn mint_viewer() -> Result<ViewerId> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|error| Error::RustError(error.to_string()))?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.parse()
        .map_err(|error: InvalidId| Error::RustError(error.to_string()))
}
