//! What the agent asks of its helper for PAM, and what that answers: one message each way, over a pair of sockets of which the
//! helper has one end as its standard input. The question goes this way and not by arguments and environment, because those
//! of the program would be the helper's own: everybody sees arguments, and libraries obey variables.
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Login, Program};

/// Longest question. `execve` takes 2 MiB of words at most, and each byte of a word is written with up to four.
pub const LONGEST_QUESTION: u64 = 16 * 1024 * 1024;

/// Longest answer: some words of PAM, and what JSON puts around them.
pub const LONGEST_ANSWER: u64 = 64 * 1024;

/// A program that is to run within a session of PAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The service, which is the name of a file of PAM's configuration.
    pub service: String,
    /// Where that configuration lies, if not where the system has it.
    pub directory: Option<OsString>,
    /// The account's name.
    pub user: String,
    /// The terminal's file, if there is one.
    pub terminal: Option<String>,
    /// The person who asked for it.
    pub person: String,
    /// The host that the wish came from: the edge's name.
    pub host: String,
    /// How the program becomes the account.
    pub login: Login,
    /// The program.
    pub program: Program,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It runs.
    Started {
        /// The helper's child: the program, or the supervisor above it.
        pid: i32,
        /// Why it runs without a session of PAM, if it does.
        fault: Option<String>,
    },
    /// PAM does not let this account in; its words.
    Refused(String),
    /// PAM let it in, and the program could not be started: an error of the system by its number.
    NotStarted(i32),
    /// This machine, or this helper, has no PAM; why.
    NoPam(String),
}

/// Sends one message.
pub fn send(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Receives one message of at most `longest` bytes; nothing if the other end was closed instead.
pub fn receive<T: DeserializeOwned>(from: impl Read, longest: u64) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    BufReader::new(from.take(longest)).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, Setting};
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;

    proptest! {
        #[test]
        fn what_is_asked_arrives_whatever_bytes_are_in_it(words in prop::collection::vec(any::<Vec<u8>>(), 1..8), ids: [u32; 2]) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
            let question = Question {
                service: "login".into(),
                directory: words.first().cloned(),
                user: "ann\n".into(),
                terminal: None,
                person: "béa".into(),
                host: "edge.example".into(),
                login: Login {
                    setting: Setting::Supervised,
                    identity: Some(Identity { uid: ids[0], gid: ids[1], groups: ids.to_vec() }),
                    home: words[0].clone(),
                    privileges: false,
                    group: words.first().cloned(),
                },
                program: Program {
                    path: words[0].clone(),
                    name: words.last().cloned(),
                    environment: words.iter().cloned().zip(words.iter().rev().cloned()).collect(),
                    arguments: words,
                },
            };
            let mut sent = Vec::new();
            send(&mut sent, &question).unwrap();
            prop_assert_eq!(receive(sent.as_slice(), LONGEST_QUESTION).unwrap(), Some(question));
        }

        #[test]
        fn bytes_that_are_no_message_are_an_error(bytes: Vec<u8>) {
            let received = receive::<Question>(bytes.as_slice(), LONGEST_QUESTION);
            prop_assert!(matches!(received, Err(_) | Ok(None)));
        }
    }

    #[test]
    fn a_message_without_end_is_cut_at_the_bound_and_an_error() {
        assert!(receive::<Answer>(io::repeat(b'['), LONGEST_ANSWER).is_err());
    }
}
