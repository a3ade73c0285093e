//! The task of a job: keeps what it writes until the edge has stored it, and then its end until that is stored.
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use protocol::ids::JobId;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::jobs::{JobEnd, JobOutput, MAX_JOB_PART, Outputs};
use protocol::terminal::services::Refusal;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::environment::MARK;
use super::notes::Notes;
use super::run::{self, Call, Piece, Spec};
use super::script;
use crate::process::Family;
use crate::session::{Outbox, Outgoing};
use crate::stream_log::{Limits, StreamLog};

/// How often what a job writes is sent at most: each time it is written into a database. What fills a message does not wait.
const SEND_EVERY: Duration = Duration::from_millis(250);

/// After how long something is sent again of which the edge has not said that it is stored.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Pieces of output that wait to be kept.
const PIECES: usize = 8;

/// How often it is tried to end what an agent before this one has left.
const KILLS: usize = 50;

/// How long is waited in between.
const KILL_EVERY: Duration = Duration::from_millis(20);

/// What the edge hears of a job of which no more is known.
const CUT_SHORT: &str = "[ERROR: the runner's agent ended while the job ran, and the job with it]";

/// What it hears of one that was over.
const OUTPUT_LOST: &str = "[Warning: the runner's agent was restarted, and the end of the output may be missing]";

/// What a task is told.
#[derive(Debug)]
pub enum Order {
    /// There is a new link.
    Attach(Outbox),
    /// The link is gone.
    Detach,
    /// So much is stored.
    Stored(u64),
    /// Somebody has called it off.
    Cancel(String),
    /// Nobody wants to know of it any more.
    Forget,
}

/// What a task begins with.
#[derive(Debug)]
pub enum Beginning {
    /// A job to run, and the link that asked for it.
    New(Box<Spec>, Outbox),
    /// One of an agent before this one, and how it ended if that is known.
    Left(Option<JobEnd>),
}

/// A job's output, and how far the edge has it.
#[derive(Debug)]
struct Kept {
    job: JobId,
    log: StreamLog,
    stored: u64,
    /// Whether the edge has said on this link where to go on.
    placed: bool,
    /// What was sent, up to where, and when.
    sent: Option<(u64, Instant)>,
    last_sent: Option<Instant>,
    deployment_id: Option<String>,
    end: Option<JobEnd>,
}

impl Kept {
    fn new(job: JobId, limits: Limits, placed: bool) -> Self {
        Self {
            job,
            log: StreamLog::new(limits),
            stored: 0,
            placed,
            sent: None,
            last_sent: None,
            deployment_id: None,
            end: None,
        }
    }

    fn link_changed(&mut self) {
        self.placed = false;
        self.sent = None;
    }

    fn take_in(&mut self, piece: Piece) {
        self.log.append(piece.text.as_bytes());
        self.deployment_id = piece.deployment_id.or(self.deployment_id.take());
    }

    fn stored(&mut self, offset: u64) {
        self.stored = offset.clamp(self.log.start(), self.log.end());
        self.log.keep_from(self.stored);
        self.placed = true;
        self.sent = None;
    }

    /// When there is something to send.
    fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let unsent = self.log.end() - self.stored;
        if !self.placed || unsent == 0 && self.end.is_none() {
            return None;
        }
        if let Some((_, at)) = self.sent {
            return Some(at + AGAIN_AFTER);
        }
        let is_full = unsent >= MAX_JOB_PART as u64 || self.end.is_some();
        Some(self.last_sent.filter(|_| !is_full).map_or(now, |at| at + SEND_EVERY))
    }

    fn next(&mut self) -> Option<FromAgent> {
        let now = Instant::now();
        self.last_sent = Some(now);
        let mut bytes = vec![0; MAX_JOB_PART];
        let len = self.log.read(self.stored, &mut bytes);
        bytes.truncate(len);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // The last character is not whole. What is in the log is text.
            Err(error) => {
                let len = error.utf8_error().valid_up_to();
                String::from_utf8_lossy(&error.as_bytes()[..len]).into_owned()
            }
        };
        self.sent = Some((self.stored + text.len() as u64, now));
        match text.is_empty() {
            false => Some(FromAgent::JobOutput {
                output: JobOutput {
                    job: self.job.clone(),
                    offset: self.stored,
                    text,
                    deployment_id: self.deployment_id.clone(),
                },
            }),
            true => self.end.clone().map(|end| FromAgent::JobEnded { end }),
        }
    }
}

/// Runs until the handle is dropped or the job is forgotten, and then until the job is gone.
pub async fn keep(job: JobId, beginning: Beginning, notes: Notes, limits: Limits, mut orders: mpsc::Receiver<Order>) {
    let (call, called) = watch::channel(Call::On);
    let (say, mut pieces) = mpsc::channel(PIECES);
    let mut kept = Kept::new(job.clone(), limits, matches!(beginning, Beginning::New(..)));
    let mut link = match &beginning {
        Beginning::New(_, link) => Some(link.clone()),
        Beginning::Left(_) => None,
    };
    let mut running: Pin<&mut _> = pin!(start_and_end(job.clone(), beginning, notes.clone(), called, say));
    let mut forgotten = false;
    loop {
        let due = kept.due().filter(|_| link.is_some());
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Attach(outbox)) => {
                    kept.link_changed();
                    link = Some(outbox);
                }
                Some(Order::Detach) => {
                    kept.link_changed();
                    link = None;
                }
                Some(Order::Stored(offset)) => kept.stored(offset),
                // The first who calls it off has.
                Some(Order::Cancel(by)) if *call.borrow() == Call::On => {
                    call.send_replace(Call::Off(by));
                }
                Some(Order::Cancel(_)) => {}
                Some(Order::Forget) => {
                    forgotten = true;
                    break;
                }
                None => break,
            },
            Some(piece) = pieces.recv() => kept.take_in(piece),
            end = &mut running, if kept.end.is_none() => {
                // It was refused, and nobody hears of it.
                let Some(end) = end else { return };
                while let Ok(piece) = pieces.try_recv() {
                    kept.take_in(piece);
                }
                kept.end = Some(end);
            }
            permit = due_permit(due, link.clone()) => match (permit, kept.next()) {
                (Some(permit), Some(message)) => drop(permit.send(Outgoing::from(message))),
                (Some(_), None) => {}
                // The link is gone; the next is attached.
                (None, _) => {
                    kept.link_changed();
                    link = None;
                }
            },
        }
    }
    if kept.end.is_none() {
        call.send_replace(Call::Now);
        let mut running = running;
        loop {
            tokio::select! {
                _ = &mut running => break,
                Some(_) = pieces.recv() => {}
            }
        }
    }
    if forgotten {
        on_disk(move || notes.forget(&job)).await;
    }
}

/// Runs a job once it is noted on the disk that it starts, and notes how it ended before anybody is told. Of one that was left, it ends what
/// is left. Nothing comes of one that is refused, which is answered before it is noted.
async fn start_and_end(
    job: JobId,
    beginning: Beginning,
    notes: Notes,
    called: watch::Receiver<Call>,
    say: mpsc::Sender<Piece>,
) -> Option<JobEnd> {
    let of = |note: &str| JobEnd {
        job: job.clone(),
        code: None,
        signal: None,
        note: Some(note.to_owned()),
        outputs: Outputs::default(),
    };
    let (spec, link) = match beginning {
        Beginning::New(spec, link) => (spec, link),
        Beginning::Left(Some(end)) => {
            let note = Some(OUTPUT_LOST.to_owned());
            return Some(JobEnd { note, ..end });
        }
        Beginning::Left(None) => {
            end_what_is_left(&job).await;
            return Some(of(CUT_SHORT));
        }
    };
    let number = spec.start.number;
    let answer = async |refusal| {
        if let Some(number) = number {
            // Without a link nobody waits.
            let _ = link.send(Outgoing::from(script::answer(number, refusal))).await;
        }
    };
    let directory = match spec.find().await {
        Err(refusal) if number.is_some() => {
            answer(Some(refusal)).await;
            return None;
        }
        found => found.map_err(|refusal| script::words(&refusal, &spec.start)),
    };
    let noted = {
        let (notes, job) = (notes.clone(), job.clone());
        on_disk(move || notes.start(&job)).await
    };
    match noted {
        Some(Ok(())) => answer(None).await,
        Some(Err(error)) if error.kind() != io::ErrorKind::AlreadyExists => {
            let error = format!("it cannot be noted on the machine's disk that it starts: {error}");
            let end = of(&format!("[ERROR: {error}]"));
            answer(Some(Refusal::Failed { error })).await;
            return number.is_none().then_some(end);
        }
        // An order to run what was run, or the runtime ends.
        _ => {
            answer(None).await;
            return Some(of(CUT_SHORT));
        }
    }
    let outputs = run::outputs_of(spec.root.clone(), &spec.start);
    let mut end = run::run(*spec, directory, called, say).await;
    if end.code == Some(0) {
        end.outputs = on_disk(outputs).await.unwrap_or_default();
    }
    let noted = end.clone();
    if let Some(Err(error)) = on_disk(move || notes.end(&noted)).await {
        tracing::warn!(%job, %error, "the end of a job is in memory only");
    }
    Some(end)
}

/// Kills what an agent before this one has started for a job, as far as it is there.
async fn end_what_is_left(job: &JobId) {
    let mut family = Family::new(MARK, job.as_str(), None);
    for _ in 0..KILLS {
        let killed = on_disk(move || {
            let killed = family.kill();
            (killed, family)
        });
        let Some((killed, again)) = killed.await else { return };
        if killed == 0 {
            return;
        }
        family = again;
        tokio::time::sleep(KILL_EVERY).await;
    }
    tracing::warn!(%job, "processes of a job that an agent before this one left cannot be ended");
}

/// What may wait for a disk. Nothing comes of it when the runtime ends.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    spawn_blocking(work).await.ok()
}

/// Waits until something is due and there is room for it. Nothing is that the link is gone.
async fn due_permit(due: Option<Instant>, link: Option<Outbox>) -> Option<mpsc::OwnedPermit<Outgoing>> {
    match (due, link) {
        (Some(due), Some(link)) => {
            sleep_until(due).await;
            link.reserve_owned().await.ok()
        }
        _ => std::future::pending().await,
    }
}
