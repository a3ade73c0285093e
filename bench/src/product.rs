//! The whole product, as its users get it: the edge, one agent, an account with 50 machines.
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Method;
use nix::unistd::{User, getuid};
use protocol::api::auth::SignedUp;
use protocol::api::machines::{MachineDetail, MachineStatus};
use protocol::api::secret::Secret;
use protocol::ids::{AgentId, SessionId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::http::Http;
use crate::process::{Program, Runtime};
use crate::terminal::{Attachment, StreamTerminal};

/// Machines of the account, the one with the agent included.
pub const MACHINES: usize = 50;

/// The agent that `scripts/build.sh native` built.
const AGENT: &str = "build/bin/vsay-agent";

/// How long the agent may take to come online. It needs one connection; the rest is for a busy computer.
const ONLINE_WITHIN: Duration = Duration::from_secs(20);

/// How long edge and agent may take to come to rest: a recording is stored at the speed of a bucket.
const RESTS_WITHIN: Duration = Duration::from_secs(60);

/// They rest when they have taken next to nothing for this long: longer than the bucket that is made slower answers.
const REST: Duration = Duration::from_millis(500);

/// A version of the product, built.
pub struct Version {
    folder: PathBuf,
    agent: PathBuf,
}

impl Version {
    /// The one that is here, with the agent that `VSAY_AGENT_BIN` names, if it names one.
    pub fn here() -> Self {
        Self {
            folder: ".".into(),
            agent: env::var_os("VSAY_AGENT_BIN").map_or_else(|| AGENT.into(), PathBuf::from),
        }
    }

    /// The one in a folder, written `FOLDER`, or `FOLDER:AGENT` with another agent of that folder.
    pub fn of(text: &str) -> Result<Self> {
        let (folder, agent) = text.split_once(':').unwrap_or((text, AGENT));
        let folder = Path::new(folder)
            .canonicalize()
            .with_context(|| format!("{folder} cannot be found"))?;
        let agent = folder.join(agent);
        Ok(Self { folder, agent })
    }
}

/// A running product.
pub struct Product {
    /// The edge.
    pub edge: Runtime,
    /// A bearer token of the account.
    pub token: String,
    agent: Program,
    agent_id: AgentId,
}

/// A machine that was made. Nothing more is read of it, so that older versions can be measured beside this one.
#[derive(Deserialize)]
struct Created {
    agent_id: AgentId,
    registration_token: Secret,
}

/// The answers that make a watcher, as far as they are needed.
#[derive(Deserialize)]
struct Invited {
    token: Secret,
}

#[derive(Deserialize)]
struct SignedIn {
    token: Secret,
}

#[derive(Deserialize)]
struct Services {
    services: Vec<Value>,
}

#[derive(Deserialize)]
struct Shared {
    share: Share,
}

#[derive(Deserialize)]
struct Share {
    id: String,
}

/// A terminal session that nobody has opened yet.
pub struct Session {
    /// How to open it.
    pub attachment: Attachment,
    id: SessionId,
}

impl Product {
    /// Starts everything in an empty folder.
    pub async fn start(state: &Path) -> Result<Self> {
        Self::start_version(&Version::here(), state, &[]).await
    }

    /// The same, with an agent that runs the services of a folder, which are known to the edge then.
    pub async fn start_with_services(state: &Path, services: &Path) -> Result<Self> {
        let product = Self::start_all(&Version::here(), state, &[], Some(services)).await?;
        let mut http = Http::open(&product.edge.url, Some(&product.token)).await?;
        let deadline = Instant::now() + ONLINE_WITHIN;
        loop {
            let known: Services = http.call(Method::GET, "/api/services", None).await?;
            if !known.services.is_empty() {
                return Ok(product);
            }
            ensure!(Instant::now() < deadline, "the services did not become known");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The same of any version, with variables of the environment for the edge.
    pub async fn start_version(version: &Version, state: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_all(version, state, environment, None).await
    }

    async fn start_all(
        version: &Version,
        state: &Path,
        environment: &[(&str, &str)],
        services: Option<&Path>,
    ) -> Result<Self> {
        let arguments = ["--port", "0", "--stdin-lifeline"];
        let edge = Runtime::start_with(&version.folder, "scripts/edge.mjs", &arguments, state, environment).await?;
        let account = json!({ "username": "bench", "email": "bench@example.org", "password": random::<16>()? });
        let mut http = Http::open(&edge.url, None).await?;
        let account: SignedUp = http.call(Method::POST, "/api/signup", Some(account)).await?;
        let token = account.token.expose().to_owned();
        let mut http = Http::open(&edge.url, Some(&token)).await?;
        let mut first = None;
        for number in 0..MACHINES {
            let machine = json!({
                "name": format!("machine-{number:02}"),
                "description": format!("Machine number {number} of the benchmark"),
                "tags": ["bench", "linux"],
            });
            let created: Created = http.call(Method::POST, "/api/machines", Some(machine)).await?;
            first.get_or_insert(created);
        }
        let machine = first.context("no machine was made")?;
        let token_of_agent = machine.registration_token.expose();
        let agent = start_agent(&version.agent, &edge.url, token_of_agent, state, services).await?;
        let product = Self {
            edge,
            token,
            agent,
            agent_id: machine.agent_id,
        };
        product.wait_until_online(&mut http).await?;
        Ok(product)
    }

    /// A name for a new session.
    pub fn session(&self) -> Result<Session> {
        let id: SessionId = format!("sess_{}", random::<12>()?).parse()?;
        let attachment = Attachment {
            origin: self.edge.url.clone(),
            path: format!("/api/terminal/{}/ws?session_id={id}&source=bench", self.agent_id),
            token: self.token.clone(),
            viewer: random::<16>()?.parse()?,
        };
        Ok(Session { attachment, id })
    }

    /// Lets somebody of the same organization watch a session that is open.
    pub async fn share(&self, session: &Session) -> Result<Attachment> {
        let mut http = Http::open(&self.edge.url, Some(&self.token)).await?;
        let (name, password) = (format!("watcher-{}", random::<4>()?), random::<16>()?);
        let email = format!("{name}@example.org");
        let account = json!({ "username": name, "email": email });
        let invited: Invited = http.call(Method::POST, "/api/users/invite", Some(account)).await?;
        let mut theirs = Http::open(&self.edge.url, None).await?;
        let accept = format!("/api/auth/invite/{}", invited.token.expose());
        let _: Value = theirs
            .call(Method::POST, &accept, Some(json!({ "password": password })))
            .await?;
        let credentials = json!({ "email": email, "password": password });
        let signed_in: SignedIn = theirs.call(Method::POST, "/api/auth/login", Some(credentials)).await?;
        let path = format!("/api/terminal/sessions/{}/shares", session.id);
        let terms = json!({ "username": name, "can_type": false });
        let shared: Shared = http.call(Method::POST, &path, Some(terms)).await?;
        Ok(Attachment {
            origin: self.edge.url.clone(),
            path: format!("/api/shares/{}/ws", shared.share.id),
            token: signed_in.token.expose().to_owned(),
            viewer: random::<16>()?.parse()?,
        })
    }

    /// Hangs a session's shell up.
    pub async fn close(&self, session: &Session) -> Result<()> {
        let mut http = Http::open(&self.edge.url, Some(&self.token)).await?;
        let _: Value = http
            .call(Method::DELETE, &format!("/api/terminal/sessions/{}", session.id), None)
            .await?;
        Ok(())
    }

    /// From here on sessions are not recorded.
    pub async fn record_nothing(&self) -> Result<()> {
        let mut http = Http::open(&self.edge.url, Some(&self.token)).await?;
        let settings = json!({ "record_sessions": false });
        let _: Value = http.call(Method::PUT, "/api/organization", Some(settings)).await?;
        Ok(())
    }

    /// Runs a command on the machine, to its end.
    pub async fn run(&self, command: &str) -> Result<()> {
        let mut http = Http::open(&self.edge.url, Some(&self.token)).await?;
        let path = format!("/api/machines/{}/command", self.agent_id);
        let _: Value = http
            .call(Method::POST, &path, Some(json!({ "command": command, "wait": true })))
            .await?;
        Ok(())
    }

    /// Waits until edge and agent rest. What was recorded is stored meanwhile, and is in nobody's way then.
    pub async fn rest(&self) -> Result<()> {
        let taken = || anyhow::Ok(self.edge.processor_time()? + self.agent_time()?);
        let deadline = Instant::now() + RESTS_WITHIN;
        loop {
            let before = taken()?;
            sleep(REST).await;
            if taken()? - before < REST / 20 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "edge and agent do not come to rest");
        }
    }

    /// The processor time that the agent has taken so far.
    pub fn agent_time(&self) -> Result<Duration> {
        self.agent.processor_time()
    }

    /// Ends everything.
    pub async fn end(self) {
        self.agent.end().await;
        self.edge.end().await;
    }

    async fn wait_until_online(&self, http: &mut Http) -> Result<()> {
        let deadline = Instant::now() + ONLINE_WITHIN;
        loop {
            let path = format!("/api/machines/{}", self.agent_id);
            let detail: MachineDetail = http.call(Method::GET, &path, None).await?;
            if detail.machine.status == MachineStatus::Online {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the agent did not come online");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// One more viewer, where somebody is attached already.
pub async fn join(attachment: &Attachment) -> Result<StreamTerminal> {
    let Attachment {
        origin, path, token, ..
    } = attachment;
    let (origin, path, token) = (origin.clone(), path.clone(), token.clone());
    StreamTerminal::attach(&Attachment {
        origin,
        path,
        token,
        viewer: random::<16>()?.parse()?,
    })
    .await
}

async fn start_agent(program: &Path, url: &str, token: &str, state: &Path, services: Option<&Path>) -> Result<Program> {
    let config = state.join("agent.yaml");
    let user = User::from_uid(getuid())?.context("who runs this has no name")?.name;
    let configured = Command::new(program)
        .args([
            "configure",
            "--allow-sudo",
            "--no-service",
            "--token",
            token,
            "--host",
            url,
            "--linux-user",
            &user,
            "--config",
        ])
        .arg(&config)
        .args(
            services
                .map(|folder| ["--services".as_ref(), folder.as_os_str()])
                .into_iter()
                .flatten(),
        )
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("{} cannot be started", program.display()))?;
    ensure!(
        configured.status.success(),
        "the agent was not enrolled:\n{}",
        String::from_utf8_lossy(&configured.stderr)
    );
    let mut command = Command::new(program);
    command
        .arg("start")
        .arg("--config")
        .arg(&config)
        .env("RUST_LOG", "warn");
    Program::start(command.stdout(Stdio::null()))
}

/// `N` random bytes in hex.
fn random<const N: usize>() -> Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
