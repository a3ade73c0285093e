//! Sockets that have not said whose they are. The Sessions API lets a client say it in its first frame: until that is looked at, the
//! socket is nobody's, is told nothing, and is not among those of the session that it names.
use std::collections::BTreeMap;

use protocol::api::secret::Secret;
use protocol::ids::{ObjectId, SessionId, ViewerId};
use protocol::limits::MAX_PAYLOAD;
use protocol::relay_contract::{StrangerContext, ViewerContext};
use protocol::terminal::close::Close;
use protocol::terminal::sessions_v1::{AUTH_WITHIN_MS, FromClient, Refusal};

use super::RelayState;
use super::action::Socket;
use super::record::StrangerMemory;

/// Most of them at once. Each is there for seconds; whoever opens more takes the place of the oldest, not of a viewer.
const MAX_STRANGERS: usize = 256;

/// Whose a socket might be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Which machine's relay asks.
    pub machine: ObjectId,
    /// Which session the socket wants to attach to.
    pub session: SessionId,
    /// What its first frame said.
    pub token: Secret,
    /// From which network address it came.
    pub address: String,
}

#[derive(Debug)]
struct Stranger {
    context: StrangerContext,
    /// When it connected, in milliseconds since the Unix epoch.
    since: u64,
    /// What it said since its proof, which is being looked at; nothing before.
    said: Option<Vec<String>>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Strangers(BTreeMap<Socket, Stranger>);

impl Strangers {
    /// Takes in one whose socket outlived the object's memory. A proof that was being looked at is lost with that.
    pub fn restore(&mut self, socket: Socket, memory: StrangerMemory) {
        let StrangerMemory { context, since } = memory;
        let said = None;
        self.0.insert(socket, Stranger { context, since, said });
    }

    pub fn has(&self, socket: Socket) -> bool {
        self.0.contains_key(&socket)
    }

    /// Forgets one. Answers whether it was there.
    pub fn remove(&mut self, socket: Socket) -> bool {
        self.0.remove(&socket).is_some()
    }

    pub fn memory_of(&self, socket: Socket) -> Option<StrangerMemory> {
        let stranger = self.0.get(&socket)?;
        Some(StrangerMemory {
            context: stranger.context.clone(),
            since: stranger.since,
        })
    }

    /// All sockets, for a walk on which they close.
    pub fn sockets(&self) -> Vec<Socket> {
        self.0.keys().copied().collect()
    }

    /// When the first of them has waited too long.
    pub fn due(&self) -> Option<u64> {
        let silent = self.0.values().filter(|stranger| stranger.said.is_none());
        silent.map(|stranger| stranger.since + AUTH_WITHIN_MS).min()
    }

    /// Who has waited too long.
    fn late(&self, now: u64) -> Vec<Socket> {
        let late = |stranger: &Stranger| stranger.said.is_none() && now >= stranger.since + AUTH_WITHIN_MS;
        let late = self.0.iter().filter(|(_, stranger)| late(stranger));
        late.map(|(socket, _)| *socket).collect()
    }
}

impl RelayState {
    /// A socket was accepted whose first frame is to say whose it is.
    pub fn stranger_connected(&mut self, now: u64, socket: Socket, context: StrangerContext) {
        if self.strangers.0.len() >= MAX_STRANGERS
            && let Some((oldest, _)) = self.strangers.0.iter().min_by_key(|(_, stranger)| stranger.since)
        {
            self.send_away(*oldest, Refusal::Unauthorized);
        }
        let (since, said) = (now, None);
        self.strangers.0.insert(socket, Stranger { context, since, said });
        self.out.remember(socket);
    }

    pub(super) fn stranger_text(&mut self, socket: Socket, text: &str) {
        let Some(stranger) = self.strangers.0.get_mut(&socket) else {
            return;
        };
        if let Some(said) = &mut stranger.said {
            if said.iter().map(String::len).sum::<usize>() + text.len() <= MAX_PAYLOAD {
                return said.push(text.to_owned());
            }
            self.strangers.remove(socket);
            return self.out.close(socket, Close::FrameTooLarge);
        }
        let Ok(FromClient::Auth { token }) = FromClient::decode(text) else {
            return self.send_away(socket, Refusal::Unauthorized);
        };
        stranger.said = Some(Vec::new());
        let StrangerContext {
            machine,
            session,
            address,
        } = stranger.context.clone();
        self.out.prove(
            socket,
            Proof {
                machine,
                session,
                token,
                address,
            },
        );
    }

    /// A proof was looked at. Whoever it is comes in as every viewer does: whether it may is asked once more. `viewer` identifies it.
    pub fn proven(&mut self, now: u64, socket: Socket, verdict: Result<ViewerContext, Refusal>, viewer: ViewerId) {
        let Some(stranger) = self.strangers.0.remove(&socket) else {
            // It is gone, and what it was let into may be nobody's.
            if let Ok(context) = verdict {
                self.never_came_in(now, &context);
            }
            return;
        };
        match verdict {
            Ok(context) => {
                self.viewer_connected(now, socket, context, viewer);
                for text in stranger.said.unwrap_or_default() {
                    self.text(now, socket, &text);
                }
            }
            Err(refusal) => self.refuse_socket(socket, refusal),
        }
    }

    /// Ends those who said nothing in time.
    pub(super) fn expire_strangers(&mut self, now: u64) {
        for socket in self.strangers.late(now) {
            self.send_away(socket, Refusal::Unauthorized);
        }
    }

    /// Tells a stranger why, and closes.
    pub(super) fn send_away(&mut self, socket: Socket, refusal: Refusal) {
        if self.strangers.remove(socket) {
            self.refuse_socket(socket, refusal);
        }
    }

    fn refuse_socket(&mut self, socket: Socket, refusal: Refusal) {
        self.out.say(socket, &refusal.frame());
        self.out.close(socket, refusal.close());
    }
}
