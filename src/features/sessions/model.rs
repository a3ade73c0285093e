//! A model of all that can happen between an upgrade and the end of a shell: upgrades, hellos, ends over the API, every kind of
//! withdrawal, notices that are late, relays that die, in any order and with each step between two waits on its own. Real SQL, the
//! real relay; afterwards no shell runs that no list shows or that nobody may have.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use durable_objects::relay::{
    Action, Key as RecordKey, Notice, Question, Record, RelayState, Settings, Socket, Verdict,
};
use proptest::prelude::*;
use protocol::ids::{ObjectId, StreamId};
use protocol::relay_contract::{AgentContext, Dialect, SignIn, ViewerContext};
use protocol::terminal::Size;
use protocol::terminal::agent::{FromAgent, Report, ToAgent};
use protocol::terminal::frame::Frame;
use protocol::terminal::viewer::FromViewer;

use super::authority;
use super::revocation::{self, Whose};
use super::store::{self, NewSession};
use crate::features::machines::access::MachineAccess;
use crate::features::machines::{Key, store as machines};
use crate::http::client::Client;
use crate::testing::{TestDb, id};

const SESSIONS: [&str; 2] = ["s1", "s2"];
const NOW: &str = "2026-01-01T00:00:00.000Z";

/// What withdraws bob's right, what gives it back, and whose change it is.
const WITHDRAWALS: [(&str, &str, bool); 10] = [
    (
        "DELETE FROM machine_grants",
        "INSERT OR IGNORE INTO machine_grants SELECT m.id, u.id, '', 'ann', '', NULL FROM users u, machines m WHERE u.username = 'bob'",
        true,
    ),
    (
        "UPDATE access_requests SET status = 'revoked'",
        "INSERT INTO access_requests (id, organization_id, machine_id, requester_id, duration_hours, status, requested_at, updated_at)
         SELECT 'r', m.organization_id, m.id, u.id, 0, 'approved', '', '' FROM users u, machines m WHERE u.username = 'bob'
         ON CONFLICT (id) DO UPDATE SET status = 'approved'",
        true,
    ),
    (
        "DELETE FROM group_members",
        "INSERT OR IGNORE INTO group_members SELECT g.id, u.id, '' FROM groups g, users u WHERE u.username = 'bob'",
        true,
    ),
    (
        "UPDATE users SET machine_role = 'non_sudo' WHERE username = 'bob'",
        "UPDATE users SET machine_role = 'allow_sudo' WHERE username = 'bob'",
        true,
    ),
    (
        "UPDATE users SET token_version = token_version + 1 WHERE username = 'bob'",
        "",
        true,
    ),
    (
        "INSERT OR IGNORE INTO revoked_sign_ins VALUES ('bobs', '2099-01-01T00:00:00.000Z')",
        "DELETE FROM revoked_sign_ins",
        true,
    ),
    (
        "UPDATE users SET disabled_at = 'x' WHERE username = 'bob'",
        "UPDATE users SET disabled_at = NULL WHERE username = 'bob'",
        true,
    ),
    (
        "UPDATE users SET deleted_at = 'x' WHERE username = 'bob'",
        "UPDATE users SET deleted_at = NULL WHERE username = 'bob'",
        true,
    ),
    (
        "UPDATE organizations SET disabled_at = 'x'",
        "UPDATE organizations SET disabled_at = NULL",
        false,
    ),
    (
        "UPDATE machines SET agent_public_key = 'other'",
        "UPDATE machines SET agent_public_key = 'key'",
        false,
    ),
];

/// What is under way, and its next step.
#[derive(Debug)]
enum Task {
    /// The rights were read; the row is to be written.
    Opening(Box<MachineAccess>, &'static str, SignIn),
    /// The row is written; the upgrade is on its way to the relay.
    Upgrade(ViewerContext),
    /// The socket is open; its hello is on its way.
    Hello(Socket),
    /// A relay's question was answered by the directory; the answer is on its way.
    Answered(Question, Verdict),
    /// The row is closed; the relay is to be told.
    Ended(&'static str),
    /// Something was withdrawn; the relay is to look again.
    Withdrawn,
}

#[derive(Debug, Clone)]
enum Step {
    Open(usize),
    End(usize),
    Withdraw(usize),
    GiveBack,
    /// Lets something that is under way make its next step.
    Go(usize),
    /// The directory reads for the oldest question.
    Answer,
    /// The directory takes the oldest notice.
    Deliver,
    LeaveAll,
    Die,
    AgentReturns,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..SESSIONS.len()).prop_map(Step::Open),
        2 => (0..SESSIONS.len()).prop_map(Step::End),
        2 => (0..WITHDRAWALS.len()).prop_map(Step::Withdraw),
        2 => Just(Step::GiveBack),
        14 => (0usize..8).prop_map(Step::Go),
        6 => Just(Step::Answer),
        4 => Just(Step::Deliver),
        1 => Just(Step::LeaveAll),
        1 => Just(Step::Die),
        1 => Just(Step::AgentReturns),
    ]
}

struct World {
    db: TestDb,
    machine: ObjectId,
    relay: RelayState,
    storage: BTreeMap<RecordKey, Record>,
    notices: VecDeque<Notice>,
    questions: VecDeque<Question>,
    tasks: Vec<Task>,
    sockets: BTreeSet<Socket>,
    agent: Option<Socket>,
    /// Their sessions, and whether they have privileges.
    shells: BTreeMap<StreamId, (String, bool)>,
    now: u64,
    next: u32,
    /// The token version of bob's account.
    version: i64,
}

impl World {
    fn new() -> Self {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.machine("web", "ann");
        db.group("ops", "acme", &[], &["web"]);
        db.execute("UPDATE machines SET agent_public_key = 'key', allow_sudo = 1, status = 'online'");
        for (_, give_back, _) in WITHDRAWALS {
            db.execute(give_back);
        }
        let mut world = Self {
            machine: id("web").parse().unwrap(),
            db,
            relay: RelayState::restore(Settings::default(), [], [], 0),
            storage: BTreeMap::new(),
            notices: VecDeque::new(),
            questions: VecDeque::new(),
            tasks: Vec::new(),
            sockets: BTreeSet::new(),
            agent: None,
            shells: BTreeMap::new(),
            now: 1_000,
            next: 0,
            version: 0,
        };
        world.agent_returns();
        world
    }

    fn socket(&mut self) -> Socket {
        self.next += 1;
        self.sockets.insert(Socket(self.next));
        Socket(self.next)
    }

    fn take(&mut self, step: &Step) {
        self.now += 1;
        match step {
            Step::Open(n) => self.open(SESSIONS[*n]),
            Step::End(n) => {
                let active = store::find(self.db.caller("ann").id(), SESSIONS[*n]);
                if let Ok(control) = super::access::SessionControl::of_active(self.db.run(active)) {
                    self.db.run(store::close(&control, NOW));
                    self.tasks.push(Task::Ended(SESSIONS[*n]));
                }
            }
            Step::Withdraw(n) => self.withdraw(*n),
            Step::GiveBack => {
                for (_, give_back, _) in WITHDRAWALS {
                    self.db.execute(give_back);
                }
            }
            Step::Go(n) => self.go(*n),
            Step::Answer => self.answer(),
            Step::Deliver => self.deliver(),
            Step::LeaveAll => {
                for socket in std::mem::take(&mut self.sockets) {
                    if self.agent != Some(socket) {
                        self.relay.closed(self.now, socket, 1006);
                    } else {
                        self.sockets.insert(socket);
                    }
                }
                self.perform();
            }
            Step::Die => {
                self.sockets.clear();
                self.agent = None;
                self.questions.clear();
                self.tasks
                    .retain(|task| !matches!(task, Task::Hello(_) | Task::Answered(..)));
                self.relay = RelayState::restore(Settings::default(), self.storage.values().cloned(), [], self.now);
                self.perform();
                self.agent_returns();
            }
            Step::AgentReturns => self.agent_returns(),
        }
    }

    /// The Worker reads whether bob may.
    fn open(&mut self, session: &'static str) {
        let bob = self.db.caller("bob");
        let active = "users u JOIN organizations o ON o.id = u.organization_id WHERE u.username = 'bob' AND u.disabled_at IS NULL
            AND u.deleted_at IS NULL AND o.disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM revoked_sign_ins)";
        let allowed = self.db.count(active) == 1;
        let agent_id = Key::Id(self.machine.clone());
        let found = self.db.run(machines::find(bob.id(), &agent_id));
        let proof = SignIn {
            sign_in: "bobs".to_owned(),
            token_version: Some(self.version),
            until: None,
            ..SignIn::default()
        };
        if allowed && let Ok(access) = MachineAccess::decide(bob, found) {
            self.tasks.push(Task::Opening(Box::new(access), session, proof));
        }
    }

    fn withdraw(&mut self, n: usize) {
        let (sql, _, of_user) = WITHDRAWALS[n];
        self.db.execute(sql);
        self.version += i64::from(sql.contains("token_version"));
        let bob = self.db.caller("bob");
        let whose = match of_user {
            true => Whose::User(bob.id()),
            false => Whose::Organization(bob.organization_id()),
        };
        // A new key of a machine is told to its relay whoever is there.
        let rekeyed = sql.contains("agent_public_key");
        if rekeyed || !self.db.run(revocation::machines(whose)).is_empty() {
            self.tasks.push(Task::Withdrawn);
        }
    }

    fn go(&mut self, n: usize) {
        if self.tasks.is_empty() {
            return;
        }
        let task = self.tasks.remove(n % self.tasks.len());
        match task {
            Task::Opening(access, session, proof) => {
                let client = Client {
                    address: String::new(),
                    user_agent: String::new(),
                    source: String::new(),
                };
                let name = session.parse().unwrap();
                let new = NewSession {
                    id: format!("{:024x}", self.now).parse().unwrap(),
                    session_id: &name,
                    source: "ui",
                    os: None,
                    client: &client,
                    size: Size::default(),
                    now: NOW,
                    attach_until: None,
                };
                let opened = self.db.run(store::open(&access, &new));
                let machine = &access.found().machine;
                self.tasks.push(Task::Upgrade(ViewerContext {
                    machine: machine.id.clone(),
                    agent_id: machine.agent_id.clone(),
                    user: access.caller().id().clone(),
                    username: "bob".to_owned(),
                    proof,
                    session: name,
                    opening: opened[0].openings,
                    size: Size::default(),
                    dialect: Dialect::Stream,
                    can_type: true,
                    guest: false,
                    allow_sudo: access.may_sudo(),
                    recording: None,
                    limits: Default::default(),
                    ssh: None,
                    refusal: None,
                }));
            }
            Task::Upgrade(context) => {
                let socket = self.socket();
                let viewer = format!("{:032x}", socket.0).parse().unwrap();
                self.relay.viewer_connected(self.now, socket, context, viewer);
                self.tasks.push(Task::Hello(socket));
            }
            Task::Hello(socket) => {
                let hello = FromViewer::Hello {
                    protocol: 1,
                    viewer: format!("{:032x}", socket.0).parse().unwrap(),
                    received: None,
                    size: Size::default(),
                    commands: false,
                    presence: false,
                };
                self.relay
                    .text(self.now, socket, &serde_json::to_string(&hello).unwrap());
            }
            Task::Answered(question, verdict) => self.relay.judged(self.now, question, Some(verdict)),
            Task::Ended(session) => {
                self.relay.close_session(self.now, &session.parse().unwrap());
            }
            Task::Withdrawn => self.relay.recheck(self.now),
        }
        self.perform();
    }

    fn answer(&mut self) {
        // The object delivers what was decided before it asks.
        while !self.notices.is_empty() {
            self.deliver();
        }
        if let Some(question) = self.questions.pop_front() {
            let (hold, run, key) = authority::queries(&self.machine, &question);
            let rows = (
                self.db.run(hold),
                run.map(|run| self.db.run(run)),
                key.map(|key| self.db.run(key)),
            );
            let verdict = authority::verdict(&question, rows);
            self.tasks.push(Task::Answered(question, verdict));
        }
    }

    /// What `durable_objects` writes to D1 for a notice, as far as it concerns sessions.
    fn deliver(&mut self) {
        if let Some(Notice::SessionClosed {
            session_id, opening, ..
        }) = self.notices.pop_front()
        {
            self.db.execute(&format!(
                "UPDATE terminal_sessions SET status = 'closed', ended_at = '{NOW}', close_reason = 'x'
                 WHERE session_id = '{session_id}' AND status = 'active' AND openings <= {opening}"
            ));
        }
    }

    fn agent_returns(&mut self) {
        let allowed = self.db.count("machines WHERE agent_public_key = 'key'") == 1;
        if let Some(old) = self.agent.take() {
            self.sockets.remove(&old);
            self.relay.closed(self.now, old, 1006);
        }
        if !allowed {
            return self.perform();
        }
        let socket = self.socket();
        self.agent = Some(socket);
        let context = AgentContext {
            machine: self.machine.clone(),
            agent_id: "0123456789ab".parse().unwrap(),
            key: "key".to_owned(),
            boot: None,
            token: String::new(),
            thresholds: Default::default(),
            policies: Some(Default::default()),
        };
        self.relay.agent_connected(self.now, socket, context);
        let hello = FromAgent::Hello {
            protocol: 1,
            boot: format!("{:032x}", 1).parse().unwrap(),
            version: String::new(),
            hostname: String::new(),
            os: String::new(),
            ip_address: String::new(),
            linux_user: Default::default(),
            metadata: Default::default(),
            streams: self.reports(),
            commands: Vec::new(),
            journal: None,
            pulled_metrics: true,
            policies: true,
            services: false,
            playbooks: false,
            ssh: false,
        };
        self.relay
            .text(self.now, socket, &serde_json::to_string(&hello).unwrap());
        self.perform();
    }

    fn reports(&self) -> Vec<Report> {
        let report = |(stream, (session, _)): (&StreamId, &(String, bool))| Report {
            stream: *stream,
            session_id: session.parse().unwrap(),
            start: 0,
            end: 0,
            size: Size::default(),
            inputs: Vec::new(),
            exit: None,
        };
        self.shells.iter().map(report).collect()
    }

    fn perform(&mut self) {
        loop {
            let actions = self.relay.take_actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                match action {
                    Action::Text(socket, text) if self.agent == Some(socket) => self.agent_hears(socket, &text),
                    Action::Close(socket, _) => {
                        self.sockets.remove(&socket);
                        if self.agent == Some(socket) {
                            self.agent = None;
                        }
                    }
                    Action::Save(record) => {
                        self.storage.insert(record.key(), record);
                    }
                    Action::Erase(key) => {
                        self.storage.remove(&key);
                    }
                    Action::EraseAll => self.storage.clear(),
                    Action::Notify(notice) => self.notices.push_back(notice),
                    Action::Ask(question) => self.questions.push_back(question),
                    Action::Text(..)
                    | Action::Spare(..)
                    | Action::Announce(_)
                    | Action::Answer(..)
                    | Action::Binary(..)
                    | Action::Remember(_)
                    | Action::Prove(..)
                    | Action::Put(_)
                    | Action::Log(_)
                    | Action::Logins(_)
                    | Action::Catalog(_)
                    | Action::Job(_)
                    | Action::Keep(..)
                    | Action::Tell(_) => {}
                }
            }
        }
    }

    fn agent_hears(&mut self, socket: Socket, text: &str) {
        match serde_json::from_str(text).unwrap() {
            ToAgent::Open {
                stream,
                session_id,
                allow_sudo,
                ..
            } => {
                self.shells.insert(stream, (session_id.to_string(), allow_sudo));
                let opened = serde_json::to_string(&FromAgent::Opened { stream }).unwrap();
                self.relay.text(self.now, socket, &opened);
            }
            ToAgent::OpenInput { input, .. } => {
                self.relay
                    .binary(self.now, socket, Frame::ack(input, 0).bytes().clone());
            }
            ToAgent::Close { stream } | ToAgent::Forget { stream } => {
                self.shells.remove(&stream);
            }
            _ => {}
        }
    }

    /// Everything that is under way comes to its end.
    fn settle(&mut self) {
        while !(self.tasks.is_empty() && self.questions.is_empty() && self.notices.is_empty()) {
            self.take(&Step::Go(0));
            self.take(&Step::Answer);
            self.take(&Step::Deliver);
        }
    }

    /// The shells that run and that no list shows, or that their owner may not have.
    fn hidden(&self) -> Vec<String> {
        let hidden = |(session, sudo): &&(String, bool)| {
            let claims = serde_json::json!([{"session": session, "user": id("bob"), "sudo": sudo, "sign_in": null, "token_version": null}]);
            self.db
                .run(authority::holding(&self.machine, claims.to_string()))
                .is_empty()
        };
        self.shells
            .values()
            .filter(hidden)
            .map(|(session, _)| session.clone())
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_shell_runs_that_no_list_shows_or_that_nobody_may_have(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.settle();
        // What a relay that died was asking, it asks again when its alarm comes.
        world.now += 60_000;
        world.relay.expire(world.now, Some(world.now));
        world.perform();
        world.settle();
        // An agent whose key was taken serves nobody; what it still has goes when it comes back.
        if world.agent.is_some() {
            prop_assert_eq!(world.hidden(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_session_that_is_opened_and_not_disturbed_has_a_shell() {
    let mut world = World::new();
    world.take(&Step::Open(0));
    world.settle();
    assert_eq!(world.shells.len(), 1);
    assert!(world.hidden().is_empty());
    world.db.execute("UPDATE terminal_sessions SET status = 'closed'");
    assert_eq!(world.hidden(), ["s1"], "the model sees a hidden shell");
}
