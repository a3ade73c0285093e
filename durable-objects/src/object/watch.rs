//! Those who watch jobs of a runner: their sockets, which hibernate, and the reads of what they are told.
use futures_util::future::join_all;
use protocol::ids::JobId;
use protocol::relay_contract::{Telling, WatchContext};
use protocol::terminal::job_watch::{ToWatcher, WatchClose, event_of_error};
use worker::{Request, Response, Result};

use super::arrival::context;
use super::time::buffered;
use super::{Live, Relay, now};
use crate::relay::Socket;
use crate::watch::Watch;
use crate::{jobs, log};

/// How many watch jobs of a machine at a time. Each may have [`MAX_UNSENT`] in the memory of the object, which has 128 MB for all it does.
const MAX_WATCHERS: usize = 64;

/// How much of what was sent to a watcher may not have left for it to be sent more, in bytes: so much and one read wait at most.
const MAX_UNSENT: u64 = 512 * 1024;

/// How soon it is looked again whether a watcher has taken what was sent, or whether a read that failed does not fail, in milliseconds.
const AGAIN_MS: u64 = 250;

/// How long a watcher may take nothing, in milliseconds. It comes back with the number of lines that it has.
const STALLED_MS: u64 = 30_000;

impl Relay {
    /// Lets somebody watch a job whose rights the Worker has looked at.
    pub(super) async fn accept_watcher(&self, req: &Request) -> Result<Response> {
        let context: WatchContext = context(req)?;
        if self.live.borrow().watches.len() >= MAX_WATCHERS {
            return Response::error("too many watch", 503);
        }
        let (socket, response) = self.accept(None)?;
        {
            let mut live = self.live.borrow_mut();
            live.watches.insert(socket, Watch::new(context));
            live.attach(socket);
            // Once the socket is open at the other end.
            live.watch_at = Some(now());
        }
        self.set_alarm().await;
        Ok(response)
    }

    /// There may be more of a job, or of all.
    pub(super) fn hint_watchers(&self, job: Option<&JobId>) {
        let mut live = self.live.borrow_mut();
        let watches = live.watches.values_mut();
        watches
            .filter(|watch| job.is_none_or(|job| watch.context.job == *job))
            .for_each(Watch::hint);
    }

    /// Tells watchers what they have not been told.
    pub(super) async fn run_watchers(&self) {
        let due: Vec<Socket> = {
            let live = self.live.borrow();
            let due = live.watches.iter().filter(|(_, watch)| watch.is_due(now()));
            due.map(|(socket, _)| *socket).collect()
        };
        if due.is_empty() {
            return;
        }
        join_all(due.into_iter().map(|socket| self.run_watcher(socket))).await;
        self.set_alarm().await;
    }

    async fn run_watcher(&self, socket: Socket) {
        loop {
            let asked = self.live.borrow_mut().next_read(socket);
            let Some((context, offset)) = asked else { return };
            let read = jobs::read(&self.env, context, offset).await;
            let mut live = self.live.borrow_mut();
            let Live { watches, sockets, .. } = &mut *live;
            let (Some(watch), Some(ws)) = (watches.get_mut(&socket), sockets.get(&socket)) else {
                return;
            };
            let is_next = watch.has_read(offset);
            match read {
                Err(error) => {
                    log::error(&format!("what a job has written could not be read: {error}"));
                    watch.hint();
                    live.watch_at = Some(now() + AGAIN_MS);
                    return;
                }
                Ok(_) if !is_next => {}
                Ok(None) => return live.end_watch(socket, WatchClose::Forbidden),
                Ok(Some(read)) => {
                    let (frames, over) = watch.take(&read);
                    for frame in frames {
                        // One that is closing hears no more.
                        let _ = ws.send_with_str(&frame);
                    }
                    match over {
                        true => return live.end_watch(socket, WatchClose::Done),
                        false => live.attach(socket),
                    }
                }
            }
        }
    }
}

impl Live {
    /// A watcher said something. Nothing, if the socket is none's.
    pub(super) fn watcher_says(&mut self, socket: Socket, text: &str) -> Option<()> {
        self.watches.get_mut(&socket).map(|watch| watch.says(text))
    }

    /// Where a watcher is, if it is to be told more and has taken what it was told.
    fn next_read(&mut self, socket: Socket) -> Option<(WatchContext, u64)> {
        let (now, unsent) = (now(), buffered(self.sockets.get(&socket)?).unwrap_or_default());
        let watch = self.watches.get_mut(&socket).filter(|watch| watch.is_due(now))?;
        if unsent <= MAX_UNSENT {
            watch.behind = None;
            watch.reads(now);
            return Some((watch.context.clone(), watch.offset));
        }
        match now >= *watch.behind.get_or_insert(now) + STALLED_MS {
            true => self.end_watch(socket, WatchClose::TooSlow),
            false => self.watch_at = Some(now + AGAIN_MS),
        }
        None
    }

    /// Attaches to a watcher's socket where it is.
    fn attach(&self, socket: Socket) {
        let (Some(watch), Some(ws)) = (self.watches.get(&socket), self.sockets.get(&socket)) else {
            return;
        };
        let attached = serde_json::to_string(watch).map_err(|error| error.to_string());
        let attached = attached.and_then(|text| ws.serialize_attachment(text).map_err(|error| error.to_string()));
        if let Err(error) = attached {
            log::error(&format!("where a watcher is could not be noted: {error}"));
        }
    }

    /// Closes a watcher's socket. Who is refused is told why.
    fn end_watch(&mut self, socket: Socket, close: WatchClose) {
        let (Some(watch), Some(ws)) = (self.watches.remove(&socket), self.sockets.remove(&socket)) else {
            return;
        };
        if close != WatchClose::Done {
            let message = close.reason();
            let _ = ws.send_with_str(match watch.context.telling {
                Telling::Frames => ToWatcher::Error { message }.encode(),
                Telling::Events => event_of_error(message),
            });
        }
        let _ = ws.close(Some(close.code()), Some(close.reason()));
    }
}
