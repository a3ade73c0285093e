//! What was decided and is not yet done. Nothing leaves the state machine another way.
//!
//! A verb that changes a record takes the outbox and saves the record there, so that none is changed and then forgotten.
use bytes::Bytes;
use protocol::api::commands::CommandResult;
use protocol::ids::{CommandId, SessionId};
use protocol::live::Topic;
use protocol::terminal::close::Close;
use protocol::terminal::command_record::CommandRecord;
use protocol::terminal::frame::Frame;
use protocol::terminal::logins::Logins;
use serde::Serialize;

use super::action::{Action, Chunk, Figures, Notice, Socket};
use super::jobs::JobNews;
use super::record::{Key, Record};
use super::rights::Question;
use super::services::Catalog;
use super::strangers::Proof;

/// Actions, the oldest first.
#[derive(Debug, Default)]
pub struct Outbox {
    actions: Vec<Action>,
    /// How many sessions were said to be over since the object woke.
    closings: u64,
}

impl Outbox {
    /// Empties it.
    pub fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Sends a frame as it is.
    pub fn frame(&mut self, socket: Socket, frame: &Frame) {
        self.bytes(socket, frame.bytes().clone());
    }

    /// Sends bytes that are no frame of ours.
    pub fn bytes(&mut self, socket: Socket, bytes: Bytes) {
        self.actions.push(Action::Binary(socket, bytes));
    }

    /// Sends a message as JSON.
    pub fn say(&mut self, socket: Socket, message: &impl Serialize) {
        // Our own messages are plain enums of numbers and strings; they have no way to fail to encode.
        if let Ok(text) = serde_json::to_string(message) {
            self.actions.push(Action::Text(socket, text));
        }
    }

    /// Sends the same message to some, but not to those who are behind.
    pub fn spare(&mut self, sockets: &[Socket], message: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(message) {
            let spares = sockets.iter().map(|socket| Action::Spare(*socket, text.clone()));
            self.actions.extend(spares);
        }
    }

    /// Sends a text as it is.
    pub fn text(&mut self, socket: Socket, text: String) {
        self.actions.push(Action::Text(socket, text));
    }

    /// Closes a socket that its owner has forgotten, or is about to.
    pub fn close(&mut self, socket: Socket, close: Close) {
        self.actions.push(Action::Close(socket, close));
    }

    /// Attaches to a socket what is known of it by the time this is done.
    pub fn remember(&mut self, socket: Socket) {
        self.actions.push(Action::Remember(socket));
    }

    /// Tells those who look that something has changed.
    pub fn announce(&mut self, topic: Topic) {
        self.actions.push(Action::Announce(topic));
    }

    /// Writes a record.
    pub fn save(&mut self, record: Record) {
        self.actions.push(Action::Save(record));
    }

    /// Removes a record.
    pub fn erase(&mut self, key: Key) {
        self.actions.push(Action::Erase(key));
    }

    /// Puts a part of a recording into the bucket.
    pub fn put(&mut self, chunk: Chunk) {
        self.actions.push(Action::Put(chunk));
    }

    /// Removes everything stored. The machine's rows are gone, so nothing is left to tell the directory about either. What was
    /// recorded stays.
    pub fn erase_all(&mut self) {
        let stays = |action: &Action| {
            matches!(
                action,
                Action::Text(..) | Action::Binary(..) | Action::Close(..) | Action::Put(..)
            )
        };
        self.actions.retain(stays);
        self.actions.push(Action::EraseAll);
    }

    /// Keeps the result of a command.
    pub fn keep(&mut self, command_id: CommandId, result: CommandResult) {
        self.actions.push(Action::Keep(command_id, result));
    }

    /// Sends a published client a result that is kept.
    pub fn answer(&mut self, socket: Socket, command_id: CommandId) {
        self.actions.push(Action::Answer(socket, command_id));
    }

    /// Tells the directory.
    pub fn notify(&mut self, notice: Notice) {
        self.actions.push(Action::Notify(notice));
    }

    /// Tells the directory how the machine does.
    pub fn tell(&mut self, figures: Figures) {
        self.actions.push(Action::Tell(figures));
    }

    /// Stores records of commands.
    pub fn log(&mut self, records: Vec<CommandRecord>) {
        self.actions.push(Action::Log(records));
    }

    /// Stores logins.
    pub fn logins(&mut self, logins: Logins) {
        self.actions.push(Action::Logins(logins));
    }

    /// Stores the services of a runner.
    pub fn catalog(&mut self, catalog: Catalog) {
        self.actions.push(Action::Catalog(catalog));
    }

    /// Stores what a runner says of jobs.
    pub fn job(&mut self, news: JobNews) {
        self.actions.push(Action::Job(news));
    }

    /// How many sessions were said to be over since the object woke.
    pub fn closings(&self) -> u64 {
        self.closings
    }

    /// Asks whose a socket is.
    pub fn prove(&mut self, socket: Socket, proof: Proof) {
        self.actions.push(Action::Prove(socket, proof));
    }

    /// Asks who may.
    pub fn ask(&mut self, question: Question) {
        self.actions.push(Action::Ask(question));
    }

    /// Tells the directory that a session is over, with the opening of its row that it is over with, and in one word why.
    pub fn session_closed(&mut self, now: u64, session_id: SessionId, opening: u32, reason: &str) {
        self.closings += 1;
        let reason = reason.to_owned();
        self.notify(Notice::SessionClosed {
            session_id,
            reason,
            at: now,
            opening,
        });
    }
}
