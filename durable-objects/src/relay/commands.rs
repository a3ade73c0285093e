//! The commands that were not answered yet: those that wait for the agent, and those it has.
use std::collections::BTreeMap;

use protocol::ids::{CommandId, JournalId, ObjectId, StreamId};

use super::outbox::Outbox;
use super::record::{AnswerTo, Approval, CommandRecord, Key, Label, Order, Progress, Record, Stop};

/// One of them.
#[derive(Debug)]
pub struct Command {
    record: CommandRecord,
    /// Whether it was asked if it may start, and the answer is awaited. It has its place among those that run.
    asked: bool,
    /// Whether the agent was asked, on this link, what became of it, and has not answered.
    collecting: bool,
}

impl Command {
    pub fn stream(&self) -> StreamId {
        self.record.stream
    }

    pub fn id(&self) -> &CommandId {
        &self.record.command_id
    }

    pub fn label(&self) -> &Label {
        &self.record.label
    }

    pub fn progress(&self) -> &Progress {
        &self.record.progress
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.record.progress, Progress::Waiting { .. })
    }

    /// Whether it waits for somebody to approve it.
    pub fn awaits_approval(&self) -> bool {
        self.is_waiting() && self.record.approval == Approval::Awaited
    }

    /// What proves to the agent that it was approved.
    pub fn approval(&self) -> Option<&str> {
        match &self.record.approval {
            Approval::Given(proof) => Some(proof),
            Approval::NotNeeded | Approval::Awaited => None,
        }
    }

    /// Whether it has ended, and its result waits for the client that asked for it.
    pub fn has_ended(&self) -> bool {
        matches!(self.record.progress, Progress::Sent { ended: true, .. })
    }

    /// Whether the agent was told of it, and it has not ended.
    pub fn is_sent(&self) -> bool {
        !self.is_waiting() && !self.has_ended()
    }

    /// The session it was asked for in.
    pub fn session(&self) -> Option<StreamId> {
        match self.record.answer_to {
            AnswerTo::Session { session } => Some(session),
            AnswerTo::Edge { .. } => None,
        }
    }

    /// Who sent it, if it is the edge that answers.
    pub fn user(&self) -> Option<&ObjectId> {
        match &self.record.answer_to {
            AnswerTo::Edge { user, .. } => Some(user),
            AnswerTo::Session { .. } => None,
        }
    }

    /// Whether it waits for an agent that is away.
    pub fn waits_for_agent(&self) -> bool {
        matches!(self.record.answer_to, AnswerTo::Edge { when_online: true, .. })
    }

    /// Whether it was called off after the agent was told of it.
    pub fn stopped(&self) -> Option<Stop> {
        match self.record.progress {
            Progress::Sent { stop, .. } => stop,
            Progress::Waiting { .. } => None,
        }
    }

    /// It is for an agent to be told of again, if the order is known. Answers whether it is.
    fn wait_again(&mut self, out: &mut Outbox) -> bool {
        let Progress::Sent { order: Some(order), .. } = &self.record.progress else {
            return false;
        };
        self.record.progress = Progress::Waiting { order: order.clone() };
        out.save(Record::Command(self.record.clone()));
        true
    }

    /// When it is given up if nothing happens, in milliseconds since the Unix epoch; `patience` is how long a result is awaited.
    pub fn due(&self, patience: u64) -> Option<u64> {
        match (&self.record.answer_to, &self.record.progress) {
            // It ends with its session.
            (AnswerTo::Session { .. }, _) => None,
            (AnswerTo::Edge { until, .. }, Progress::Waiting { .. }) => Some(*until),
            (AnswerTo::Edge { .. }, Progress::Sent { at, .. }) => Some(at + patience),
        }
    }
}

/// All of them, by the numbers they have for the agent, and so the oldest first.
#[derive(Debug, Default)]
pub struct Commands {
    commands: BTreeMap<StreamId, Command>,
    /// When those that were asked about are asked about again, because no answer has come.
    ask_again_at: Option<u64>,
}

impl Commands {
    /// Takes in a command from storage.
    pub fn restore(&mut self, record: CommandRecord) {
        let stream = record.stream;
        let command = Command {
            record,
            asked: false,
            collecting: false,
        };
        self.commands.insert(stream, command);
    }

    /// Takes in one that was just asked for.
    pub fn add(&mut self, record: CommandRecord, out: &mut Outbox) {
        out.save(Record::Command(record.clone()));
        self.restore(record);
    }

    pub fn get(&self, stream: StreamId) -> Option<&Command> {
        self.commands.get(&stream)
    }

    pub fn find(&self, command_id: &CommandId) -> Option<&Command> {
        self.iter().find(|command| command.id() == command_id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// The streams of those that were asked for in a session, for a walk on which they may end.
    pub fn of_session(&self, session: StreamId) -> Vec<StreamId> {
        let of = |command: &&Command| command.session() == Some(session);
        self.iter().filter(of).map(Command::stream).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// How many the agent has, or is about to be told of.
    pub fn under_way(&self) -> usize {
        self.iter().filter(|command| command.is_sent() || command.asked).count()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.iter().filter(|command| command.is_waiting()).count()
    }

    /// The oldest that wait and were not asked about, at most `room`: they are asked about from now on.
    pub fn ask_for(&mut self, room: usize, again_at: u64) -> Vec<(StreamId, CommandId)> {
        let waiting = self
            .commands
            .values_mut()
            .filter(|command| command.is_waiting() && !command.awaits_approval() && !command.asked);
        let asked: Vec<_> = waiting
            .take(room)
            .map(|command| {
                command.asked = true;
                (command.record.stream, command.record.command_id.clone())
            })
            .collect();
        if !asked.is_empty() {
            self.ask_again_at = Some(again_at);
        }
        asked
    }

    /// The question whether it may start has an answer, or will not have one.
    pub fn answered(&mut self, stream: StreamId) {
        if let Some(command) = self.commands.get_mut(&stream) {
            command.asked = false;
        }
    }

    /// When those that were asked about are to be asked about again.
    pub fn ask_again_at(&self) -> Option<u64> {
        let waits = |command: &Command| command.is_waiting() && !command.awaits_approval();
        self.ask_again_at.filter(|_| self.iter().any(waits))
    }

    /// Nobody will answer what was asked.
    pub fn forget_questions(&mut self) {
        self.ask_again_at = None;
        self.commands.values_mut().for_each(|command| command.asked = false);
    }

    /// Those of the edge that the agent was told of and was not asked about on this link: it is asked from now on. With each, whether
    /// it was called off.
    pub fn collect(&mut self) -> Vec<(StreamId, bool)> {
        let sent = |command: &&mut Command| command.session().is_none() && !command.is_waiting() && !command.collecting;
        let sent = self.commands.values_mut().filter(sent);
        sent.map(|command| {
            command.collecting = true;
            (command.stream(), command.stopped().is_some())
        })
        .collect()
    }

    /// The agent says that it does not know one. Answers whether it was asked, and says so of what it was told before.
    pub fn is_not_known(&mut self, stream: StreamId) -> bool {
        let command = self.commands.get_mut(&stream);
        command.is_some_and(|command| std::mem::take(&mut command.collecting))
    }

    /// The agent's link is gone, and with it what was asked on it.
    pub fn link_lost(&mut self) {
        self.commands
            .values_mut()
            .for_each(|command| command.collecting = false);
    }

    /// The agent whose journal this is will be told. Answers of what; nothing of one that it was told of before.
    pub fn send(&mut self, now: u64, stream: StreamId, journal: Option<&JournalId>, out: &mut Outbox) -> Option<Order> {
        let command = self.commands.get_mut(&stream)?;
        command.asked = false;
        let Progress::Waiting { order } = &command.record.progress else {
            return None;
        };
        command.collecting = false;
        let order = order.clone();
        command.record.progress = Progress::Sent {
            order: Some(order.clone()),
            journal: journal.cloned(),
            at: now,
            stop: None,
            ended: false,
        };
        out.save(Record::Command(command.record.clone()));
        Some(order)
    }

    /// The agent never had it: it waits again, if it may. Answers whether it does.
    pub fn wait_again(&mut self, stream: StreamId, out: &mut Outbox) -> bool {
        let command = self.commands.get_mut(&stream);
        // Only one that waits for its agent is told again to an agent that never had it.
        let Some(command) = command.filter(|command| command.waits_for_agent()) else {
            return false;
        };
        command.wait_again(out)
    }

    /// The agent wants it approved: it waits for that, and then for the agent, at most until a time. Answers whether it does.
    pub fn await_approval(&mut self, stream: StreamId, until: u64, out: &mut Outbox) -> bool {
        let Some(command) = self.commands.get_mut(&stream) else {
            return false;
        };
        let AnswerTo::Edge {
            until: patience,
            when_online,
            ..
        } = &mut command.record.answer_to
        else {
            return false;
        };
        (*patience, *when_online) = (until, true);
        command.record.approval = Approval::Awaited;
        command.wait_again(out)
    }

    /// It was approved, and waits for the agent until a time. Answers whether it waited for that.
    pub fn approve(&mut self, stream: StreamId, proof: String, until: u64, out: &mut Outbox) -> bool {
        let command = self.commands.get_mut(&stream);
        let Some(command) = command.filter(|command| command.awaits_approval()) else {
            return false;
        };
        command.record.approval = Approval::Given(proof);
        if let AnswerTo::Edge { until: patience, .. } = &mut command.record.answer_to {
            *patience = until;
        }
        out.save(Record::Command(command.record.clone()));
        true
    }

    /// It was called off after the agent was told of it. The first reason stays.
    pub fn stop(&mut self, stream: StreamId, why: Stop, out: &mut Outbox) {
        let Some(command) = self.commands.get_mut(&stream) else {
            return;
        };
        if let Progress::Sent { stop: stop @ None, .. } = &mut command.record.progress {
            *stop = Some(why);
            out.save(Record::Command(command.record.clone()));
        }
    }

    /// It has ended, and its result waits for the client that asked for it.
    pub fn ended(&mut self, stream: StreamId, out: &mut Outbox) {
        if let Some(command) = self.commands.get_mut(&stream)
            && let Progress::Sent { ended, .. } = &mut command.record.progress
        {
            *ended = true;
            out.save(Record::Command(command.record.clone()));
        }
    }

    /// It was answered, or nobody waits for the answer.
    pub fn remove(&mut self, stream: StreamId, out: &mut Outbox) -> Option<Command> {
        let command = self.commands.remove(&stream)?;
        out.erase(Key::Command(stream));
        Some(command)
    }

    /// The machine is gone, and all that was stored of it.
    pub fn forget_all(&mut self) {
        self.commands.clear();
    }
}
