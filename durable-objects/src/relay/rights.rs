//! Rights, looked at again.
//!
//! The Worker checks a right before it hands over an upgrade. Between that and the hello, and at any time after, it may be
//! withdrawn. So nobody is let in and no shell starts before the relay has asked once more, and it asks about all it has when
//! it hears that something was withdrawn, and from time to time ([`RelayState::recheck`]).
use protocol::api::command_policy::Policies;
use protocol::ids::{CommandId, ObjectId, SessionId, StreamId, ViewerId};
use protocol::relay_contract::{Dialect, SignIn};
use protocol::terminal::Size;
use protocol::terminal::close::Close;

use super::RelayState;
use super::action::{Notice, Socket};
use super::commands::Command;
use super::session::Session;
use super::viewer::Viewer;

/// How often a relay that has sessions asks about all of them, in milliseconds. What a withdrawal could not end at once, because
/// something was out of reach, lives no longer than this.
const RECHECK_EVERY: u64 = 10 * 60 * 1000;

/// How long after a question about all that has no answer it is asked again, in milliseconds.
const ASK_AGAIN_AFTER: u64 = 30_000;

/// What the directory lists and the relay does not know is over after this many milliseconds: twelve times as long as a socket
/// may take to say hello.
pub const UNKNOWN_AFTER: u64 = 60_000;

const UNCHECKED: &str = "Your access cannot be checked just now; try again";

/// Whose right is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimant {
    /// A viewer that has said hello and is not let in yet.
    Newcomer(Socket),
    /// A viewer that was let in.
    Viewer(Socket),
    /// A shell, whether somebody is there or not.
    Session(StreamId),
}

/// What somebody is to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// It is theirs, and they may reach the machine.
    Owner,
    /// They look at it as it is recorded, and may reach the machine.
    Player,
    /// They were invited to it, to do no more and no less than this, and need no right to the machine.
    Guest { can_type: bool },
}

/// What somebody must have the right to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub claimant: Claimant,
    /// A session that is not over…
    pub session: SessionId,
    /// …of an account that is there…
    pub user: ObjectId,
    /// …with privileges, if the shell has them…
    pub sudo: bool,
    /// …and is this to the session…
    pub tie: Tie,
    /// …by a sign-in that was not withdrawn. A shell needs none: its owner may come back with another.
    pub proof: Option<SignIn>,
}

/// A command whose row says who wants it run, and with which privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandClaim {
    pub stream: StreamId,
    pub command_id: CommandId,
    /// Whether it starts if it may. Otherwise it waits on, or runs on.
    pub starts: bool,
}

/// What is asked of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub claims: Vec<Claim>,
    pub commands: Vec<CommandClaim>,
    /// The key of the agent whose link stands.
    pub agent_key: Option<String>,
    /// All that the relay has, by name, if it is asked about all.
    known: Option<Vec<SessionId>>,
    /// [`RelayState::epoch`] when it was asked.
    epoch: u64,
}

/// What the directory answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether each claim holds, in their order.
    pub claims: Vec<bool>,
    /// Whether each command may still be run, in their order.
    pub commands: Vec<bool>,
    /// Whether the machine is there and an agent with that key may serve it.
    pub agent: bool,
    /// What commands may run there, if that was asked for with the agent's key and it may.
    pub policies: Option<Policies>,
}

impl Question {
    /// About an agent that wants to connect.
    pub fn of_agent(key: &str) -> Self {
        Self {
            claims: Vec::new(),
            commands: Vec::new(),
            agent_key: Some(key.to_owned()),
            known: None,
            epoch: 0,
        }
    }

    /// About commands that are to start, and so about what the agent is to hold to when it is told of them.
    pub(super) fn of_commands(commands: Vec<CommandClaim>, agent_key: Option<String>, epoch: u64) -> Self {
        Self {
            claims: Vec::new(),
            commands,
            agent_key,
            known: None,
            epoch,
        }
    }
}

impl RelayState {
    /// How often something was withdrawn, or a session ended, since the relay woke. An answer to a question from before that is
    /// worth nothing: the row it was read from may be closed by now, or will be.
    pub fn epoch(&self) -> u64 {
        self.epoch + self.out.closings()
    }

    /// A viewer said who it is: whether it may come in is asked first.
    pub(super) fn knock(&mut self, now: u64, socket: Socket, viewer_id: ViewerId, received: Option<u64>, size: Size) {
        let refusal = self
            .viewers
            .get(socket)
            .and_then(|viewer| viewer.context().refusal.clone());
        if let Some(words) = refusal {
            return self.dismiss(now, socket, Close::SessionLimit, &words);
        }
        if let Some(viewer) = self.viewers.get_mut(socket) {
            viewer.resize(size);
            viewer.knock(viewer_id, received);
            self.ask_newcomer(socket);
        }
    }

    fn ask_newcomer(&mut self, socket: Socket) {
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        let mut claims = vec![claim_of(Claimant::Newcomer(socket), viewer)];
        // A guest is there by the right of whose session it is: one who has lost that has nobody in any more.
        let session = self.sessions.find(&viewer.context().session);
        let session = session.and_then(|stream| self.sessions.get(stream));
        let session = session.filter(|session| viewer.is_guest() && !session.is_over());
        claims.extend(session.map(claim_of_session));
        self.out.ask(Question {
            claims,
            commands: Vec::new(),
            agent_key: None,
            known: None,
            epoch: self.epoch(),
        });
    }

    /// Something was withdrawn, or it is time: asks about all there is.
    pub fn recheck(&mut self, now: u64) {
        self.epoch += 1;
        // Whom nobody has come to has nothing.
        if self.machine.id().is_none() {
            return;
        }
        let viewers = self.viewers.iter().filter(|(_, viewer)| !viewer.is_greeting());
        let viewers = viewers.map(|(socket, viewer)| claim_of(Claimant::Viewer(socket), viewer));
        let sessions = self.sessions.iter().filter(|session| !session.is_over());
        let claims = viewers.chain(sessions.map(claim_of_session)).collect();
        let commands = self.commands.iter().filter(|command| command.session().is_none());
        let commands = commands.map(claim_of_command).collect();
        // A guest's upgrade lists nothing, and neither does one that was refused.
        let openers = self
            .viewers
            .iter()
            .filter(|(_, viewer)| !viewer.is_guest() && viewer.context().refusal.is_none());
        let names = openers.map(|(_, viewer)| &viewer.context().session);
        let mut known: Vec<SessionId> = names.chain(self.sessions.iter().map(Session::id)).cloned().collect();
        known.sort_unstable();
        known.dedup();
        self.out.ask(Question {
            claims,
            commands,
            agent_key: self.agent.key().map(str::to_owned),
            known: Some(known),
            epoch: self.epoch(),
        });
        // An answer that does not come, because something died while it was waited for, is asked for again.
        self.machine.recheck_at(Some(now + ASK_AGAIN_AFTER), &mut self.out);
    }

    /// Somebody is here: at the latest by then, what is known is compared with what is listed.
    pub(super) fn recheck_soon(&mut self, now: u64) {
        if self.machine.recheck_due().is_none() {
            self.machine.recheck_at(Some(now + RECHECK_EVERY), &mut self.out);
        }
    }

    /// The answer to a question; nothing if it could not be asked.
    pub fn judged(&mut self, now: u64, question: Question, verdict: Option<Verdict>) {
        let Some(verdict) = verdict else {
            for claim in question.claims {
                if let Claimant::Newcomer(socket) = claim.claimant {
                    self.dismiss(now, socket, Close::InternalError, UNCHECKED);
                }
            }
            for claim in &question.commands {
                self.command_not_judged(now, claim);
            }
            return;
        };
        if question.agent_key.is_some() && question.agent_key.as_deref() == self.agent.key() && !verdict.agent {
            self.drop_agent(now, Close::AccessRevoked);
        }
        // An answer from before something changed may be of what held before; another is on its way.
        if let Some(policies) = verdict.policies.filter(|_| question.epoch == self.epoch()) {
            self.police(policies);
        }
        for (claim, holds) in question.claims.iter().zip(verdict.claims) {
            self.judge(now, claim.claimant, holds, question.epoch);
        }
        for (claim, holds) in question.commands.iter().zip(verdict.commands) {
            self.judge_command(now, claim, holds, question.epoch != self.epoch());
        }
        if let Some(sessions) = question.known {
            self.out.notify(Notice::Known { sessions, at: now });
            let any = self.sessions.count() > 0 || !self.commands.is_empty();
            let next = any.then_some(now + RECHECK_EVERY);
            self.machine.recheck_at(next, &mut self.out);
        }
    }

    fn judge(&mut self, now: u64, claimant: Claimant, holds: bool, epoch: u64) {
        let (close, text) = (Close::AccessRevoked, Close::AccessRevoked.reason());
        match claimant {
            Claimant::Newcomer(socket) => {
                let knocked = self.viewers.get(socket).and_then(Viewer::knocked);
                match knocked {
                    None => {}
                    Some(_) if !holds => self.dismiss(now, socket, close, text),
                    Some(_) if epoch != self.epoch() => self.ask_newcomer(socket),
                    Some((viewer_id, received)) => self.attach(now, socket, viewer_id, received),
                }
            }
            Claimant::Viewer(socket) if !holds => self.dismiss(now, socket, close, text),
            Claimant::Session(stream) if !holds => self.end_session(now, stream, close, text, "access_revoked"),
            Claimant::Viewer(_) | Claimant::Session(_) => {}
        }
    }
}

fn claim_of(claimant: Claimant, viewer: &Viewer) -> Claim {
    let context = viewer.context();
    Claim {
        claimant,
        session: context.session.clone(),
        user: context.user.clone(),
        // A newcomer may start the shell, with all that its upgrade was promised.
        sudo: context.allow_sudo && matches!(claimant, Claimant::Newcomer(_)),
        tie: match context.dialect {
            Dialect::Cast => Tie::Player,
            _ if context.guest => Tie::Guest {
                can_type: context.can_type,
            },
            _ => Tie::Owner,
        },
        proof: Some(context.proof.clone()),
    }
}

fn claim_of_command(command: &Command) -> CommandClaim {
    CommandClaim {
        stream: command.stream(),
        command_id: command.id().clone(),
        starts: false,
    }
}

fn claim_of_session(session: &Session) -> Claim {
    Claim {
        claimant: Claimant::Session(session.stream()),
        session: session.id().clone(),
        user: session.owner().clone(),
        sudo: session.allow_sudo(),
        tie: Tie::Owner,
        proof: None,
    }
}
