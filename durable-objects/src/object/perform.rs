//! Doing what the state machine decides.
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join;
use protocol::ids::{CommandId, ObjectId};
use protocol::live::Topic;
use protocol::relay_contract::AskedCommand;
use protocol::terminal::command_record::CommandRecord;
use protocol::terminal::logins::Logins;
use worker::{Error, Result};

use super::arrival::mint_viewer;
use super::time::is_behind;
use super::{Live, Relay, now};
use crate::authority;
use crate::command_log;
use crate::directory;
use crate::health;
use crate::log;
use crate::logins;
use crate::relay::{
    Action, Catalog, Figures, HostTrusted, JobNews, Notice, Proof, Question, RelayState, Socket, Verdict, output_frame,
};
use crate::ssh;
use crate::storage::Storage;

/// How often it is looked whether a delivery that is under way is over.
const DELIVERING: Duration = Duration::from_millis(5);

/// How soon a delivery to the directory that failed is tried again.
const RETRY_MS: u64 = 5_000;

/// What was decided and has to be waited for.
#[derive(Default)]
pub(super) struct Rest {
    /// Notices were posted that the directory does not have yet.
    notified: bool,
    questions: Vec<Question>,
    proofs: Vec<(Socket, Proof)>,
    records: Vec<CommandRecord>,
    figures: Vec<Figures>,
    /// What has changed for those who look.
    changed: BTreeSet<Topic>,
    logins: Vec<Logins>,
    catalogs: Vec<Catalog>,
    jobs: Vec<JobNews>,
    /// The last thing an object does: nothing is decided after it.
    erase_all: bool,
}

impl Rest {
    pub(super) fn add(&mut self, more: Self) {
        self.notified |= more.notified;
        self.questions.extend(more.questions);
        self.proofs.extend(more.proofs);
        self.records.extend(more.records);
        self.figures.extend(more.figures);
        self.changed.extend(more.changed);
        self.logins.extend(more.logins);
        self.catalogs.extend(more.catalogs);
        self.jobs.extend(more.jobs);
        self.erase_all |= more.erase_all;
    }
}

impl Relay {
    /// Tells the state machine what happened and does what it decides. Answers whether all that had to be asked was answered.
    ///
    /// What waits is boxed, so that the future of each event stays small.
    pub(super) async fn event(&self, tell: impl FnOnce(&mut RelayState, u64)) -> bool {
        match self.take(tell) {
            Some(rest) => Box::pin(self.finish(rest)).await,
            None => true,
        }
    }

    /// Tells the state machine what happened and does what does not wait. Answers what is left for [`Self::finish`]; a key leaves
    /// nothing.
    pub(super) fn take(&self, tell: impl FnOnce(&mut RelayState, u64)) -> Option<Rest> {
        let actions = {
            let mut live = self.live.borrow_mut();
            tell(&mut live.relay, now());
            live.relay.take_actions()
        };
        let rest = self.perform(actions);
        let has_to_wait = |live: &Live| live.has_to_turn() || live.has_to_tick();
        let waits = rest.is_some() || self.late_alarm().is_some() || has_to_wait(&self.live.borrow());
        waits.then(|| rest.unwrap_or_default())
    }

    /// Answers whether all that had to be asked was answered.
    pub(super) async fn finish(&self, rest: Rest) -> bool {
        let work = async {
            let answered = self.perform_rest(rest).await;
            self.run_watchers().await;
            answered
        };
        let (answered, ()) = join(work, self.run_turns()).await;
        self.set_alarm().await;
        self.run_ticks().await;
        answered
    }

    /// Does what waits, and asks what is to be asked until nothing is left to ask. Answers whether all was answered.
    pub(super) async fn perform_rest(&self, mut rest: Rest) -> bool {
        let mut answered = true;
        loop {
            if std::mem::take(&mut rest.erase_all)
                && let Err(error) = self.erase_all().await
            {
                log::error(&format!("the relay could not forget: {error}"));
            }
            if std::mem::take(&mut rest.notified) {
                self.deliver().await;
            }
            for figures in std::mem::take(&mut rest.figures) {
                self.tell(figures).await;
            }
            if !rest.changed.is_empty() {
                self.announce(&Vec::from_iter(std::mem::take(&mut rest.changed))).await;
            }
            for logins in std::mem::take(&mut rest.logins) {
                self.log_in(logins).await;
            }
            for catalog in std::mem::take(&mut rest.catalogs) {
                self.store_catalog(catalog).await;
            }
            for news in std::mem::take(&mut rest.jobs) {
                self.store_job_news(news).await;
            }
            if !rest.records.is_empty() {
                self.log(std::mem::take(&mut rest.records)).await;
            }
            if let Some((socket, proof)) = rest.proofs.pop() {
                if let Some(more) = self.prove(socket, proof).await {
                    rest.add(more);
                }
                continue;
            }
            let Some(question) = rest.questions.pop() else {
                return answered;
            };
            let verdict = self.ask(&question).await;
            answered &= verdict.is_some();
            let actions = {
                let mut live = self.live.borrow_mut();
                live.relay.judged(now(), question, verdict);
                live.relay.take_actions()
            };
            if let Some(more) = self.perform(actions) {
                rest.add(more);
            }
        }
    }

    /// Tells the directory how the machine does. If it is out of reach, that is told the next time.
    async fn tell(&self, figures: Figures) {
        let Some(machine) = self.live.borrow().relay.machine().cloned() else {
            return;
        };
        let Err(error) = self.tell_now(&machine, figures).await else {
            return;
        };
        log::error(&format!("the directory did not hear how the machine does: {error}"));
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.untold();
            live.relay.take_actions()
        };
        // Nothing but what is remembered.
        drop(self.perform(actions));
    }

    async fn tell_now(&self, machine: &ObjectId, figures: Figures) -> Result<()> {
        directory::tell(&self.env.d1(directory::BINDING)?, machine, &figures).await?;
        match figures.health {
            Some(health) => health::changed(&self.env, machine, health, figures.metrics)
                .await
                .map_err(Error::RustError),
            None => Ok(()),
        }
    }

    /// Asks whose a socket is, and tells the state machine.
    async fn prove(&self, socket: Socket, proof: Proof) -> Option<Rest> {
        let verdict = authority::prove(&self.env, proof).await;
        let viewer = mint_viewer()
            .inspect_err(|error| log::error(&format!("a socket gets no name: {error}")))
            .ok()?;
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.proven(now(), socket, verdict, viewer);
            live.relay.take_actions()
        };
        self.perform(actions)
    }

    /// Stores records of commands and tells the agent. What fails the agent says again.
    async fn log(&self, records: Vec<CommandRecord>) {
        let Some(machine) = self.live.borrow().relay.machine().cloned() else {
            return;
        };
        let ids = records.iter().map(|record| record.id.clone()).collect();
        if let Err(error) = command_log::store(&self.env, &machine, records).await {
            return log::error(&format!("records of commands are not stored yet: {error}"));
        }
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.commands_stored(ids);
            live.relay.take_actions()
        };
        // Nothing but a message to the agent.
        drop(self.perform(actions));
    }

    /// Stores logins and tells the agent. What fails the agent says again.
    async fn log_in(&self, logins: Logins) {
        let Some(machine) = self.live.borrow().relay.machine().cloned() else {
            return;
        };
        let number = logins.number;
        if let Err(error) = logins::store(&self.env, &machine, logins).await {
            return log::error(&format!("logins are not stored yet: {error}"));
        }
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.logins_stored(number);
            live.relay.take_actions()
        };
        // Nothing but a message to the agent.
        drop(self.perform(actions));
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
                log::error(&format!("rights could not be looked at: {error}"));
                None
            }
        }
    }

    /// Does all that does not wait, in order; answers what is left.
    pub(super) fn perform(&self, actions: Vec<Action>) -> Option<Rest> {
        let mut rest = None;
        for action in actions {
            let done = match action {
                Action::EraseAll => {
                    rest.get_or_insert_with(Rest::default).erase_all = true;
                    Ok(())
                }
                Action::Ask(question) => {
                    rest.get_or_insert_with(Rest::default).questions.push(question);
                    Ok(())
                }
                Action::Prove(socket, proof) => {
                    rest.get_or_insert_with(Rest::default).proofs.push((socket, proof));
                    Ok(())
                }
                Action::Put(chunk) => {
                    self.live.borrow_mut().puts.push_back(chunk);
                    Ok(())
                }
                Action::Log(records) => {
                    rest.get_or_insert_with(Rest::default).records.extend(records);
                    Ok(())
                }
                Action::Logins(logins) => {
                    rest.get_or_insert_with(Rest::default).logins.push(logins);
                    Ok(())
                }
                Action::Catalog(catalog) => {
                    rest.get_or_insert_with(Rest::default).catalogs.push(catalog);
                    Ok(())
                }
                Action::Job(news) => {
                    rest.get_or_insert_with(Rest::default).jobs.push(news);
                    Ok(())
                }
                Action::Tell(figures) => {
                    rest.get_or_insert_with(Rest::default).figures.push(figures);
                    Ok(())
                }
                Action::Announce(topic) => {
                    rest.get_or_insert_with(Rest::default).changed.insert(topic);
                    Ok(())
                }
                Action::Notify(notice) => {
                    let rest = rest.get_or_insert_with(Rest::default);
                    rest.notified = true;
                    rest.changed.insert(notice.topic());
                    self.post(&notice)
                }
                action => self.perform_now(action),
            };
            if let Err(error) = done {
                log::error(&format!("the relay could not act: {error}"));
            }
        }
        rest
    }

    /// The actions of the keystroke path; none of them waits.
    fn perform_now(&self, action: Action) -> Result<()> {
        let mut live = self.live.borrow_mut();
        match action {
            // A socket that cannot be sent to is closing: its close event follows and tells the state machine.
            Action::Binary(socket, bytes) => {
                let Live { sockets, buffers, .. } = &mut *live;
                let _ = sockets
                    .get(&socket)
                    .map(|ws| ws.as_ref().send_with_array_buffer(&buffers.of(&bytes)));
            }
            Action::Text(socket, text) => {
                let _ = live.sockets.get(&socket).map(|ws| ws.send_with_str(&text));
            }
            Action::Spare(socket, text) => {
                let ws = live.sockets.get(&socket);
                let _ = ws.filter(|ws| !is_behind(ws)).map(|ws| ws.send_with_str(&text));
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
            Action::Keep(command_id, result) => self.storage()?.keep(now(), &command_id, &result)?,
            Action::Answer(socket, command_id) => {
                // Results are kept longer than sessions wait for their clients.
                if let (Some(ws), Some(result)) = (live.sockets.get(&socket), self.storage()?.result(&command_id)?) {
                    let output = output_frame(command_id.to_string(), result);
                    let _ = ws.send_with_str(serde_json::to_string(&output)?);
                }
            }
            Action::EraseAll
            | Action::Notify(_)
            | Action::Tell(_)
            | Action::Announce(_)
            | Action::Ask(_)
            | Action::Prove(..)
            | Action::Put(_)
            | Action::Log(_)
            | Action::Logins(_)
            | Action::Catalog(_)
            | Action::Job(_) => {}
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
    pub(super) async fn deliver(&self) {
        if std::mem::replace(&mut self.live.borrow_mut().delivering, true) {
            return;
        }
        let delivered = self.deliver_all().await;
        let mut live = self.live.borrow_mut();
        live.delivering = false;
        live.retry_at = None;
        if let Err(error) = delivered {
            log::error(&format!("the directory did not take a notice: {error}"));
            live.retry_at = Some(now() + RETRY_MS);
        }
    }

    /// Has commands that were asked for in terminals written down, before what is told of them.
    async fn log_asked(&self, machine: &ObjectId, asked: Vec<AskedCommand>) -> Result<()> {
        if asked.is_empty() {
            return Ok(());
        }
        match command_log::store_asked(&self.env, machine, asked).await {
            Err(error) if directory::is_refused(&error) => {
                log::error(&format!(
                    "commands that were asked for in terminals are refused by the directory: {error}"
                ));
                Ok(())
            }
            other => other.map_err(Error::RustError),
        }
    }

    /// Has commands that were sent and have ended added to the log, which may have them already. What the database refuses is
    /// dropped with a line in the log, like a notice.
    async fn log_sent(&self, machine: &ObjectId, ended: Vec<CommandId>) -> Result<()> {
        if ended.is_empty() {
            return Ok(());
        }
        match command_log::store_sent(&self.env, machine, ended).await {
            Err(error) if directory::is_refused(&error) => {
                log::error(&format!("the command log refuses commands that were sent: {error}"));
                Ok(())
            }
            other => other.map_err(Error::RustError),
        }
    }

    /// Has it written down that commands wait for somebody to approve them, and who may do so told of it.
    async fn log_awaiting(&self, machine: &ObjectId, awaiting: Vec<(CommandId, String)>) -> Result<()> {
        if awaiting.is_empty() {
            return Ok(());
        }
        match command_log::store_awaiting(&self.env, machine, awaiting).await {
            Err(error) if directory::is_refused(&error) => {
                log::error(&format!(
                    "the directory refuses that commands wait for approval: {error}"
                ));
                Ok(())
            }
            other => other.map_err(Error::RustError),
        }
    }

    /// Has it written down that hosts are trusted from now on which nobody knew.
    async fn log_trusted(&self, machine: &ObjectId, trusted: Vec<HostTrusted>) -> Result<()> {
        if trusted.is_empty() {
            return Ok(());
        }
        match ssh::store(&self.env, machine, trusted).await {
            Err(error) if directory::is_refused(&error) => {
                log::error(&format!("the audit log refuses that hosts are trusted: {error}"));
                Ok(())
            }
            other => other.map_err(Error::RustError),
        }
    }

    async fn deliver_all(&self) -> Result<()> {
        let db = self.env.d1(directory::BINDING)?;
        while let Some((last, notices)) = self.storage()?.posted()? {
            let Some(machine) = self.live.borrow().relay.machine().cloned() else {
                return Ok(());
            };
            self.log_asked(&machine, directory::asked_commands(&notices)).await?;
            directory::deliver(&db, &machine, &notices).await?;
            self.log_awaiting(&machine, directory::awaiting_commands(&notices))
                .await?;
            self.log_sent(&machine, directory::ended_commands(&notices)).await?;
            self.log_trusted(&machine, directory::trusted_hosts(&notices)).await?;
            self.storage()?.delivered(last)?;
        }
        Ok(())
    }
}
