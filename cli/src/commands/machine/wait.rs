//! Waiting for a new machine, and saying meanwhile how far it is.
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use protocol::api::machines::{Machine, MachineStatus};

use crate::client::Client;
use crate::error::{Error, tell};
use crate::terminal;

/// Pause between two looks: short for whoever waits, and no load to speak of.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the sign that something goes on is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// When to say what may be wrong: an installation takes a few seconds, on a slow network half a minute.
const HINT_AFTER: Duration = Duration::from_secs(60);

/// Turns while one waits.
const TURNING: [char; 4] = ['|', '/', '-', '\\'];

/// How far a machine is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No agent has enrolled for it.
    Waiting,
    /// An agent has, and is not connected.
    Enrolled,
    /// Its agent is connected.
    Online,
    /// Somebody has shut it out.
    Revoked,
}

impl Stage {
    fn of(machine: &Machine) -> Self {
        match machine.status {
            MachineStatus::Pending => Self::Waiting,
            MachineStatus::Revoked => Self::Revoked,
            MachineStatus::Online | MachineStatus::ExecutingScript => Self::Online,
            MachineStatus::Offline => Self::Enrolled,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for the agent",
            Self::Enrolled => "Enrolled, waiting for it to connect",
            Self::Online => "Online",
            Self::Revoked => "Revoked",
        }
    }

    /// What to look at when nothing has come for a while.
    fn hint(self) -> &'static str {
        match self {
            Self::Waiting => {
                "Nothing has come yet. The line says on the computer what fails; it needs to reach this server from there."
            }
            _ => "It has enrolled and does not connect. The agent says why: journalctl -u vsay-agent",
        }
    }
}

/// Waits until a machine is online, or somebody asks to end.
pub async fn until_online(client: &Client, machine: &Machine) -> Result<i32, Error> {
    let asked = terminal::asked_to_end();
    tokio::select! {
        outcome = watch(client, machine) => outcome,
        status = asked => {
            let status = status?;
            tell(&format!(
                "\n{name} goes on waiting for its agent. To remove it: vsay delete {name}\n",
                name = machine.name
            ));
            Ok(status)
        }
    }
}

async fn watch(client: &Client, machine: &Machine) -> Result<i32, Error> {
    tell("\n");
    let mut progress = Progress::new(Stage::of(machine));
    loop {
        match client.machine_by_agent_id(&machine.agent_id).await {
            Ok(now) => progress.reached(Stage::of(&now)),
            // A network that is away for a moment, on a train say, does not end a wait.
            Err(error @ Error::Unreachable { .. }) => progress.say_once(&error.to_string()),
            Err(error) => {
                progress.clear();
                return Err(error);
            }
        }
        match progress.stage {
            Stage::Online => {
                tell(&format!("To open a terminal: vsay connect {}\n", machine.name));
                return Ok(0);
            }
            Stage::Revoked => return Err(Error::Refused(format!("{} was revoked meanwhile", machine.name))),
            Stage::Waiting | Stage::Enrolled => progress.pause().await,
        }
    }
}

/// What stands on the screen of whoever waits.
struct Progress {
    stage: Stage,
    since: Instant,
    hinted: bool,
    said: String,
    turn: usize,
    is_terminal: bool,
}

impl Progress {
    fn new(stage: Stage) -> Self {
        let progress = Self {
            stage,
            since: Instant::now(),
            hinted: false,
            said: String::new(),
            turn: 0,
            is_terminal: std::io::stderr().is_terminal(),
        };
        progress.begin_stage();
        progress
    }

    /// A terminal has the stage on the line that turns; what is no terminal gets a line for each.
    fn begin_stage(&self) {
        if !self.is_terminal || self.stage == Stage::Online {
            tell(&format!("{}.\n", self.stage.words()));
        }
    }

    fn reached(&mut self, stage: Stage) {
        self.said.clear();
        if stage == self.stage {
            return;
        }
        self.clear();
        (self.stage, self.since, self.hinted) = (stage, Instant::now(), false);
        self.begin_stage();
    }

    /// Says something that may be so for a while.
    fn say_once(&mut self, text: &str) {
        if self.said != text {
            self.clear();
            tell(&format!("{text}; trying again\n"));
            text.clone_into(&mut self.said);
        }
    }

    fn clear(&self) {
        if self.is_terminal {
            tell("\r\x1b[K");
        }
    }

    /// Lets time pass, and draws that it does.
    async fn pause(&mut self) {
        if !self.hinted && self.since.elapsed() >= HINT_AFTER {
            self.clear();
            tell(&format!("{}\n", self.stage.hint()));
            self.hinted = true;
        }
        let until = tokio::time::Instant::now() + LOOK_EVERY;
        while tokio::time::Instant::now() < until {
            if self.is_terminal {
                self.turn = (self.turn + 1) % TURNING.len();
                tell(&format!("\r{} {}…\x1b[K", TURNING[self.turn], self.stage.words()));
            }
            tokio::time::sleep(DRAW_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_on_its_way_by_its_status() {
        let machine = |status: MachineStatus| {
            let sample: Machine =
                serde_json::from_str(include_str!("../../../../protocol/fixtures/api/machine.json")).unwrap();
            Machine { status, ..sample }
        };
        for (status, stage) in [
            (MachineStatus::Pending, Stage::Waiting),
            (MachineStatus::Offline, Stage::Enrolled),
            (MachineStatus::Online, Stage::Online),
            (MachineStatus::Revoked, Stage::Revoked),
        ] {
            assert_eq!(Stage::of(&machine(status)), stage);
        }
    }
}
