//! The shells and commands of this machine, and whom each word of the relay is for. They outlive links.
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use protocol::api::command_policy::Policies;
use protocol::ids::{AgentId, JournalId, SessionId, StreamId};
use protocol::limits::MAX_STREAMS;
use protocol::terminal::agent::{Described, FromAgent, Report, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::limits::MAX_IDLE_MINUTES;
use protocol::terminal::ssh;

use crate::account::Account;
use crate::cgroup::Cgroups;
use crate::command::{self, Commands};
use crate::command_log::{Journal, SharedJournal};
use crate::config::Config;
use crate::policy::Place;
use crate::process::{self, Origin};
use crate::session::{HANG_UP_GRACE, Login, Outbox, Session, Spec};
use crate::ssh::Ssh;
use crate::stream_log::Limits;
use crate::system::System;

/// Typists on all shells together. A report names each of them, and with this many it still fits a frame
/// ([`protocol::limits::MAX_AGENT_TEXT`]).
const MAX_INPUTS: usize = 2048;

/// All shells, by output stream, and all commands.
#[derive(Debug)]
pub struct Shells {
    account: String,
    system: System,
    edge: String,
    allow_sudo: bool,
    cgroups: Cgroups,
    limits: Limits,
    sessions: HashMap<StreamId, Session>,
    /// Whose input goes where.
    inputs: HashMap<StreamId, StreamId>,
    commands: Commands,
    command_log: Arc<SharedJournal>,
    agent_id: AgentId,
    policies: Policies,
    /// What opens shells on other hosts, if the machine is a runner.
    ssh: Option<Arc<Ssh>>,
}

impl Shells {
    /// No shells yet; those to come are as `config` says. Must be called within a tokio runtime.
    pub fn new(config: &Config, system: System) -> Self {
        Self {
            account: config.linux_user.username.clone(),
            cgroups: Cgroups::find(&system),
            ssh: Ssh::of(config, &system),
            system,
            edge: config.server.endpoint().host_str().unwrap_or_default().to_owned(),
            allow_sudo: config.permissions.allow_sudo,
            limits: Limits::in_directory(config.storage.directory.clone()),
            sessions: HashMap::new(),
            inputs: HashMap::new(),
            commands: Commands::of(config),
            command_log: Arc::new(SharedJournal::new(journal(config))),
            agent_id: config.agent.id.clone(),
            policies: Policies::default(),
        }
    }

    /// What binds shells and commands.
    pub fn cgroups(&self) -> &Cgroups {
        &self.cgroups
    }

    /// From now on commands may run this. Those that run go on.
    pub fn hold_to(&mut self, policies: Policies) {
        self.policies = policies;
    }

    /// What commands may run, and where they begin.
    pub fn policies(&self) -> (Policies, Place) {
        let account = Account::find_on(&self.system, &self.account);
        let place = account.map(|account| Place {
            path: process::search_path(&account, &self.system),
            directory: PathBuf::from(&account.home),
        });
        (self.policies.clone(), place.unwrap_or_default())
    }

    /// What was run at prompts, and is not known to be stored.
    pub fn command_log(&self) -> &Arc<SharedJournal> {
        &self.command_log
    }

    /// Gives all a new link, and says which there are.
    pub async fn attach(&mut self, outbox: &Outbox) -> (Vec<Report>, Vec<StreamId>) {
        self.forget_gone();
        let reports = self.sessions.values().map(|session| session.attach(outbox.clone()));
        let streams = join_all(reports).await.into_iter().flatten().collect();
        (streams, self.commands.attach(outbox).await)
    }

    /// The link takes what commands write as it comes.
    pub async fn follow_commands(&mut self) {
        self.commands.follow().await;
    }

    /// Where it is noted which commands are started.
    pub fn journal(&self) -> Option<JournalId> {
        self.commands.journal().cloned()
    }

    /// The link is gone.
    pub async fn detach(&mut self) {
        join_all(self.sessions.values().map(Session::detach)).await;
        self.commands.detach().await;
    }

    /// All shells as they are now, and the commands there are.
    pub async fn report(&mut self) -> (Vec<Report>, Vec<StreamId>) {
        self.forget_gone();
        let reports = join_all(self.sessions.values().map(Session::report)).await;
        (reports.into_iter().flatten().collect(), self.commands.known())
    }

    /// What all shells do now.
    pub async fn describe(&mut self) -> Vec<Described> {
        self.forget_gone();
        let described = join_all(self.sessions.values().map(Session::describe)).await;
        described.into_iter().flatten().collect()
    }

    /// Kills all commands and hangs all shells up, and waits until the relay has been told of each shell's end, at most
    /// twice `grace`.
    pub async fn close(&mut self, grace: Duration) {
        self.commands.close().await;
        let closing = join_all(self.sessions.values().map(|session| session.close(grace))).await;
        if tokio::time::timeout(grace * 2, join_all(closing)).await.is_err() {
            tracing::warn!("some shells did not end in time");
        }
    }

    /// Does what the relay says, and gives what there is to answer at once. `welcome`, `commands_stored`, `report`, `describe` and `pong`
    /// are the link's and mean nothing here.
    pub async fn obey(&mut self, message: ToAgent, outbox: &Outbox) -> Option<FromAgent> {
        match message {
            ToAgent::Open {
                stream,
                session_id,
                size,
                allow_sudo,
                username,
                limits,
                ssh,
            } => {
                self.forget_gone();
                if let Some(session) = self.sessions.get(&stream) {
                    session.repeat_opened().await;
                    return None;
                }
                if self.sessions.len() >= MAX_STREAMS {
                    let error = format!("this machine already runs {MAX_STREAMS} shells");
                    return Some(FromAgent::OpenFailed { stream, error });
                }
                let ssh = match (ssh, &self.ssh) {
                    (None, _) => None,
                    (Some(target), Some(ssh)) => Some((Arc::clone(ssh), target)),
                    (Some(_), None) => {
                        let error = ssh::failed("this machine is no runner: it has no services directory");
                        return Some(FromAgent::OpenFailed { stream, error });
                    }
                };
                let privileges = allow_sudo && self.allow_sudo;
                let host = ssh.as_ref().map(|(_, target)| target.hostname.as_str());
                tracing::info!(%stream, session = %session_id, %username, privileges, host, "a shell is opened");
                let spec = Spec {
                    stream,
                    session_id,
                    size,
                    login: Login {
                        account: self.account.clone(),
                        privileges,
                        origin: self.origin(username),
                        system: self.system.clone(),
                        limits,
                        cgroups: self.cgroups.clone(),
                    },
                    ssh,
                    limits: self.limits.clone(),
                    idle_after: Duration::from_secs(60 * u64::from(limits.idle_minutes.min(MAX_IDLE_MINUTES))),
                    journal: self.command_log.clone(),
                };
                self.sessions.insert(stream, Session::open(spec, outbox.clone()));
            }
            ToAgent::Run {
                stream,
                session_id,
                command,
                timeout_seconds,
                allow_sudo,
                username,
                script,
                limits,
                approval,
            } => {
                let privileges = allow_sudo && self.allow_sudo;
                let session = session_id.as_ref().map(SessionId::as_str);
                tracing::info!(%stream, session, %username, privileges, script, "a command is run");
                let spec = command::Spec {
                    stream,
                    command,
                    script,
                    timeout: command::within_bounds(timeout_seconds, script),
                    account: self.account.clone(),
                    privileges,
                    system: self.system.clone(),
                    origin: self.origin(username),
                    limits,
                    cgroups: self.cgroups.clone(),
                    policies: self.policies.clone(),
                    approval,
                    agent_id: self.agent_id.clone(),
                };
                return self.commands.run(spec, outbox);
            }
            ToAgent::Collect { stream } => return self.commands.collect(stream).await,
            ToAgent::OpenInput { stream, input } => {
                let session = self.find(stream)?;
                let known = self.inputs.get(&input);
                if known.is_some_and(|known| *known != stream) || self.inputs.len() >= MAX_INPUTS && known.is_none() {
                    tracing::warn!(%stream, %input, "the relay opens an input that cannot be; ignored");
                    return None;
                }
                session.open_input(input).await;
                self.inputs.insert(input, stream);
            }
            ToAgent::CloseInput { input } => {
                if let Some(session) = self.inputs.remove(&input).and_then(|stream| self.find(stream)) {
                    session.close_input(input).await;
                }
            }
            ToAgent::Resize { stream, size } => {
                if let Some(session) = self.find(stream) {
                    session.resize(size).await;
                }
            }
            ToAgent::Read { stream, from, to } => {
                if let Some(session) = self.find(stream) {
                    session.read(from..to).await;
                }
            }
            ToAgent::Snapshot { stream } => {
                if let Some(session) = self.find(stream) {
                    session.snapshot().await;
                }
            }
            ToAgent::Screen { stream } => {
                if let Some(session) = self.find(stream) {
                    session.screen().await;
                }
            }
            ToAgent::Close { stream } if self.commands.kill(stream).await => {
                tracing::info!(%stream, "a command is killed");
            }
            ToAgent::Close { stream } => {
                if let Some(session) = self.find(stream) {
                    tracing::info!(%stream, "a shell is closed");
                    drop(session.close(HANG_UP_GRACE).await);
                }
            }
            ToAgent::Forget { stream } if self.commands.forget(stream).await => {}
            ToAgent::Forget { stream } => {
                self.sessions.remove(&stream);
                self.inputs.retain(|_, of| *of != stream);
            }
            // The link's own.
            ToAgent::Welcome { .. }
            | ToAgent::Watch { .. }
            | ToAgent::Thresholds { .. }
            | ToAgent::RotateKey { .. }
            | ToAgent::Policies { .. }
            | ToAgent::CommandsStored { .. }
            | ToAgent::LoginsStored { .. }
            | ToAgent::CatalogStored { .. }
            | ToAgent::Service { .. }
            | ToAgent::Job { .. }
            | ToAgent::JobStored { .. }
            | ToAgent::CancelJob { .. }
            | ToAgent::ForgetJob { .. }
            | ToAgent::Report
            | ToAgent::Describe
            | ToAgent::Pong => {}
        }
        None
    }

    /// Takes a binary frame of the relay.
    pub async fn receive(&mut self, frame: Frame) {
        match frame.kind {
            Kind::Input => {
                let Some(stream) = self.inputs.get(&frame.stream) else {
                    return tracing::debug!(input = %frame.stream, "input of nobody ignored");
                };
                if let Some(session) = self.find(*stream) {
                    session.input(frame).await;
                }
            }
            Kind::Credit => {
                if let Some(session) = self.find(frame.stream) {
                    session.credit(frame.offset, frame.window()).await;
                }
            }
            Kind::Output | Kind::Ack | Kind::Snapshot => {
                tracing::warn!(stream = %frame.stream, kind = ?frame.kind, "a frame that only we send; ignored");
            }
        }
    }

    fn origin(&self, person: String) -> Origin {
        let edge = self.edge.clone();
        Origin { person, edge }
    }

    /// A relay may name a stream that has just ended here.
    fn find(&self, stream: StreamId) -> Option<&Session> {
        let session = self.sessions.get(&stream);
        if session.is_none() {
            tracing::debug!(%stream, "the relay names a stream that is not here; ignored");
        }
        session
    }

    fn forget_gone(&mut self) {
        self.sessions.retain(|_, session| !session.is_gone());
        let sessions = &self.sessions;
        self.inputs.retain(|_, stream| sessions.contains_key(stream));
    }
}

/// What the agent before this one has left. Without a file, what is run now is still told.
fn journal(config: &Config) -> Journal {
    let directory = config.storage.records(&config.agent.id);
    Journal::open(&directory).unwrap_or_else(|error| {
        let directory = directory.display();
        tracing::warn!(%error, %directory, "what is run at prompts is not written down, and is lost if the agent ends");
        Journal::in_memory()
    })
}
