//! A key that is replaced, with everything that can be lost on the way: requests, answers, and the agent itself, between any two
//! steps.
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

/// What the edge knows, and requests that are under way: they arrive in any order, late, or never.
struct Edge {
    key: String,
    challenge: Option<String>,
    asked: u32,
}

/// A request to open a link.
#[derive(Debug, Clone)]
struct Request {
    with: String,
    hands_in: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    Unknown,
    NotRotated,
}

impl Edge {
    fn ask(&mut self) -> String {
        self.asked += 1;
        let challenge = self.asked.to_string();
        self.challenge = Some(challenge.clone());
        challenge
    }

    /// As `src/features/agents` does it.
    fn take(&mut self, request: &Request) -> Answer {
        if request.with != self.key {
            return Answer::Unknown;
        }
        if let Some((next, challenge)) = &request.hands_in {
            if self.challenge.as_ref() != Some(challenge) {
                return Answer::NotRotated;
            }
            (self.key, self.challenge) = (next.clone(), None);
        }
        Answer::Open
    }
}

/// What happens. `Lost` ones reach the edge, and their answer does not reach the agent.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The edge asks, and the agent hears it.
    Asked,
    /// The edge asks, and the agent does not.
    AskedInVain,
    /// The agent opens a link, and hears the answer.
    Connects,
    /// It sends a request that stays under way, and hears nothing.
    Sends,
    /// A request that is under way arrives.
    Arrives(usize),
    /// The agent is killed and starts anew.
    Crashes,
    /// The agent is killed after the next key is on the disk and before it is sent.
    CrashesBeforeSending,
    /// The edge accepts, and the agent is killed before it knows.
    CrashesBeforeHearing,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Asked),
        Just(Step::AskedInVain),
        Just(Step::Connects),
        Just(Step::Sends),
        (0..4_usize).prop_map(Step::Arrives),
        Just(Step::Crashes),
        Just(Step::CrashesBeforeSending),
        Just(Step::CrashesBeforeHearing),
    ]
}

struct World {
    folder: tempfile::TempDir,
    keys: Keys,
    edge: Edge,
    under_way: Vec<Request>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.key");
        Identity::generate().unwrap().save(&file).unwrap();
        let keys = Keys::load(&file).unwrap();
        let edge = Edge {
            key: keys.identity().public_key(),
            challenge: None,
            asked: 0,
        };
        Self {
            folder,
            keys,
            edge,
            under_way: Vec::new(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("agent.key")
    }

    fn start(&mut self) {
        self.keys = Keys::load(&self.file()).unwrap();
    }

    fn request(&mut self) -> Request {
        let with = self.keys.identity().public_key();
        let handed_in = self.keys.hand_in().unwrap();
        let hands_in = handed_in.map(|(next, challenge)| (next.public_key(), challenge));
        Request { with, hands_in }
    }

    fn connect(&mut self) -> Answer {
        let request = self.request();
        let answer = self.edge.take(&request);
        match answer {
            Answer::Open => self.keys.accepted(request.hands_in.is_some()),
            Answer::Unknown => {
                self.keys.refused();
            }
            Answer::NotRotated => {}
        }
        answer
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Asked => {
                let challenge = self.edge.ask();
                self.keys.ask(challenge);
            }
            Step::AskedInVain => drop(self.edge.ask()),
            Step::Connects => {
                self.connect();
            }
            Step::Sends => {
                let request = self.request();
                self.under_way.push(request);
            }
            Step::Arrives(n) if n < self.under_way.len() => {
                let request = self.under_way.remove(n);
                self.edge.take(&request);
            }
            Step::Arrives(_) => {}
            Step::Crashes => self.start(),
            Step::CrashesBeforeSending => {
                self.request();
                self.start();
            }
            Step::CrashesBeforeHearing => {
                let request = self.request();
                self.edge.take(&request);
                self.start();
            }
        }
    }

    /// The edge's key is in one of the files, and nobody else may read them.
    fn check(&self) {
        let files = [self.file(), next_file(&self.file())];
        let mut known = files.iter().filter_map(|file| Identity::load(file).ok());
        assert!(known.any(|identity| identity.public_key() == self.edge.key));
        for file in files.iter().filter(|file| file.exists()) {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_lost_the_machine_can_connect(steps in prop::collection::vec(step(), 0..24)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        world.start();
        // A refusal, and the other key.
        let answers = [world.connect(), world.connect()];
        prop_assert!(answers.contains(&Answer::Open), "{answers:?}");
        // And what is asked for then is done.
        let before = world.edge.key.clone();
        let challenge = world.edge.ask();
        world.keys.ask(challenge);
        prop_assert_eq!(world.connect(), Answer::Open);
        prop_assert_ne!(&world.edge.key, &before);
        prop_assert!(!next_file(&world.file()).exists());
        world.start();
        prop_assert_eq!(world.connect(), Answer::Open);
    }
}

#[test]
fn a_key_that_was_handed_in_replaces_the_other_once_it_is_accepted() {
    let mut world = World::new();
    let old = world.edge.key.clone();
    assert_eq!(world.connect(), Answer::Open);
    world.take(Step::Asked);
    let request = world.request();
    assert!(next_file(&world.file()).exists(), "before anybody hears of it");
    assert_eq!(Identity::load(&world.file()).unwrap().public_key(), old);
    assert_eq!(world.edge.take(&request), Answer::Open);
    world.keys.accepted(true);
    assert_ne!(Identity::load(&world.file()).unwrap().public_key(), old);
    assert!(!next_file(&world.file()).exists());
}

#[test]
fn a_key_that_nobody_asked_for_is_not_handed_in_and_one_that_was_refused_is_kept() {
    let mut world = World::new();
    assert!(world.request().hands_in.is_none());
    world.keys.ask("of nobody".to_owned());
    assert_eq!(world.connect(), Answer::NotRotated);
    assert!(next_file(&world.file()).exists());
    assert_eq!(world.connect(), Answer::Open, "with the old one");
    assert!(next_file(&world.file()).exists(), "it may be accepted yet");
}

#[test]
fn a_file_that_is_no_key_is_left_alone() {
    let world = World::new();
    fs::write(next_file(&world.file()), "no key").unwrap();
    assert!(Keys::load(&world.file()).unwrap().next.is_none());
    assert!(next_file(&world.file()).exists());
}
