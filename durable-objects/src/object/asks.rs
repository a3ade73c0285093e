//! Asking a runner for the Worker, which waits.
use protocol::relay_contract::{AskRunner, FilePart, PART_HEADER, RunnerAnswer};
use protocol::terminal::services::{Answer, Ask, Place, Refusal, Subdir};
use worker::{Request, Response, Result};

use super::arrival::told;
use super::{LOOK_AGAIN, Relay, now};
use crate::relay::RelayState;

/// What is read of a file before it is handed over, in bytes: so many parts of it as make sixty-four answers of the longest file, and no
/// more than this object and the Worker can have several of in memory.
const MAX_PART: usize = 1024 * 1024;

/// How often a file is read from its beginning that changes while it is read.
const TRIES: u32 = 3;

/// Files in one list, at most: as many as ten answers of a runner have. A page shows no more.
const MAX_FILES: usize = 2_000;

impl Relay {
    /// Does what the Worker wants of the runner. A part of a file is answered as its bytes, and [`FilePart`] in a header; the rest as
    /// [`RunnerAnswer`].
    pub(super) async fn ask_service(&self, mut req: Request) -> Result<Response> {
        let AskRunner { service, ask } = told(&mut req).await?;
        let answer = match ask {
            Ask::Read { place, from, version } => match self.read(&service, place, from, version).await {
                Ok((bytes, part)) => {
                    let mut response = Response::from_bytes(bytes)?;
                    response
                        .headers_mut()
                        .set(PART_HEADER, &serde_json::to_string(&part)?)?;
                    return Ok(response);
                }
                Err(answer) => answer,
            },
            Ask::List { subdir, after } => self.list(&service, subdir, after).await,
            ask => self.ask_runner(&service, ask).await,
        };
        Response::from_json(&answer)
    }

    async fn ask_runner(&self, service: &str, ask: Ask) -> RunnerAnswer {
        self.ask_and_wait(|relay, now| relay.ask_runner(now, service, ask))
            .await
    }

    /// Asks the runner something under a number, and waits for its answer.
    pub(super) async fn ask_and_wait(
        &self,
        begin: impl FnOnce(&mut RelayState, u64) -> std::result::Result<u64, RunnerAnswer>,
    ) -> RunnerAnswer {
        let mut asked = Err(RunnerAnswer::Offline);
        self.event(|relay, now| asked = begin(relay, now)).await;
        let number = match asked {
            Ok(number) => number,
            Err(answer) => return answer,
        };
        loop {
            let answer = self.live.borrow_mut().relay.runner_answer(now(), number);
            if let Some(answer) = answer {
                return answer;
            }
            worker::Delay::from(LOOK_AGAIN).await;
        }
    }

    /// Reads [`MAX_PART`] bytes of one version of a file, or up to its end.
    async fn read(
        &self,
        service: &str,
        place: Place,
        from: u64,
        version: Option<String>,
    ) -> std::result::Result<(Vec<u8>, FilePart), RunnerAnswer> {
        let mut bytes = Vec::new();
        let mut of = version.clone();
        let mut tries = 1;
        loop {
            let ask = Ask::Read {
                place: place.clone(),
                from: from + bytes.len() as u64,
                version: of.clone(),
            };
            let answer = match self.ask_runner(service, ask).await {
                RunnerAnswer::Answered { answer } => answer,
                none => return Err(none),
            };
            let (content, part) = match answer {
                Answer::Chunk {
                    content,
                    size,
                    modified_ms,
                    version,
                } => (
                    content,
                    FilePart {
                        size,
                        modified_ms,
                        version,
                    },
                ),
                // Nobody has seen the beginning yet.
                Answer::Refused {
                    refusal: Refusal::Changed,
                } if version.is_none() && tries < TRIES => {
                    tries += 1;
                    bytes.clear();
                    of = None;
                    continue;
                }
                answer => return Err(RunnerAnswer::Answered { answer }),
            };
            let is_end = content.is_empty() || from + (bytes.len() + content.len()) as u64 >= part.size;
            bytes.extend(content);
            if is_end || bytes.len() >= MAX_PART {
                return Ok((bytes, part));
            }
            of = Some(part.version);
        }
    }

    /// Lists a directory from a name on.
    async fn list(&self, service: &str, subdir: Subdir, after: Option<String>) -> RunnerAnswer {
        let mut after = after;
        let mut listed = Vec::new();
        loop {
            let ask = Ask::List { subdir, after };
            let (files, more) = match self.ask_runner(service, ask).await {
                RunnerAnswer::Answered {
                    answer: Answer::Files { files, more },
                } => (files, more),
                other => return other,
            };
            after = files.last().map(|file| file.name.clone());
            listed.extend(files);
            if !more || after.is_none() || listed.len() >= MAX_FILES {
                let answer = Answer::Files { files: listed, more };
                return RunnerAnswer::Answered { answer };
            }
        }
    }
}
