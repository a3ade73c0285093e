//! A machine with the real agent on it.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::account::Account;
use super::process::{Process, memory, scratch};
use super::program;
use super::stack::Stack;
use super::system;
use super::team::join;
use super::wait::eventually;

/// A machine of an account, and its agent.
pub struct Agent {
    /// The machine's public name.
    pub agent_id: String,
    /// The machine's row.
    pub machine_id: String,
    /// What people call it.
    pub name: String,
    owner: Account,
    token: String,
    folder: PathBuf,
    system: TempDir,
    running: Mutex<Option<Process>>,
}

impl Agent {
    /// Makes a machine, enrols it and waits until it is online.
    pub async fn new(owner: &Account, name: &str) -> Self {
        let agent = Self::enrolled(owner, name, &owner.anonymous.url).await;
        agent.start().await;
        agent
    }

    /// Makes a machine and enrols it; its agent will dial `url`, which may be a proxy.
    pub async fn enrolled(owner: &Account, name: &str, url: &str) -> Self {
        let created = owner.post("/api/machines", json!({"name": name})).await.ok();
        let token = created["registration_token"].as_str().expect("a token").to_owned();
        Self::with_token(owner, &created, token, url).await
    }

    /// Enrols a machine that somebody has made, by a token that was given for it.
    pub async fn with_token(owner: &Account, machine: &Value, token: String, url: &str) -> Self {
        let text = |field: &str| {
            machine[field]
                .as_str()
                .unwrap_or_else(|| panic!("{machine:#}"))
                .to_owned()
        };
        let folder = tempfile::Builder::new()
            .prefix("agent-")
            .tempdir_in(scratch())
            .expect("a folder")
            .keep();
        let agent = Self {
            agent_id: text("agent_id"),
            machine_id: text("id"),
            name: text("name"),
            owner: owner.clone(),
            token,
            folder,
            system: system::make(&shell_account().await).await,
            running: Mutex::new(None),
        };
        let enrolled = agent.try_configure(url, agent.token()).await;
        enrolled.expect("the token enrols");
        agent
    }

    /// The registration token it was enrolled with first.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Enrols it (again); a failure is what the agent said.
    pub async fn try_configure(&self, url: &str, token: &str) -> Result<(), String> {
        configure(&self.config(), url, token).await
    }

    fn config(&self) -> PathBuf {
        self.folder.join("agent.yaml")
    }

    /// A file in the machine's own folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file of the machine's system, which is a folder of the test's.
    pub fn system_file(&self, name: &str) -> PathBuf {
        self.system.path().join(name)
    }

    /// From its next start on, the agent keeps what does not fit into memory in a folder.
    pub fn keeps_things_in(&self, folder: &Path) {
        let config = fs::read_to_string(self.config()).expect("it is configured");
        let before = config.split("\nstorage:").next().unwrap_or(&config);
        let storage = format!("{before}\nstorage:\n  directory: {}\n", folder.display());
        fs::write(self.config(), storage).expect("it is ours");
    }

    /// From its next start on, the agent is a runner with a directory of services.
    pub fn has_services_in(&self, directory: &Path) {
        self.has_no_services();
        let config = fs::read_to_string(self.config()).expect("it is configured");
        let services = format!("{config}\nservices:\n  directory: {}\n", directory.display());
        fs::write(self.config(), services).expect("it is ours");
    }

    /// From its next start on, the agent is no runner.
    pub fn has_no_services(&self) {
        let config = fs::read_to_string(self.config()).expect("it is configured");
        let before = config.split("\nservices:").next().unwrap_or(&config);
        fs::write(self.config(), before).expect("it is ours");
    }

    /// From its next start on, the machine's accounts have another login shell.
    pub fn logs_in_with(&self, shell: &str) {
        let file = self.system.path().join("etc/passwd");
        let passwd = fs::read_to_string(&file).expect("it is there");
        let of = |line: &str| line.rsplit_once(':').map(|(account, _)| format!("{account}:{shell}\n"));
        fs::write(&file, passwd.lines().filter_map(of).collect::<String>()).expect("it is ours");
    }

    /// Starts the agent without waiting for it.
    pub fn launch(&self) {
        let config = self.config();
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let [config, system] = [config.as_path(), self.system.path()].map(text);
        let args = ["start", "--config", &config, "--system-root", &system];
        let process = Process::start(&program("VSAY_AGENT_BIN", "vsay-agent"), &args, &self.file("agent.log"));
        *self.running.lock().unwrap() = Some(process);
    }

    /// Starts the agent and waits until the edge knows.
    pub async fn start(&self) {
        self.launch();
        self.becomes("online").await;
    }

    /// Waits until the edge shows the machine in a status.
    pub async fn becomes(&self, status: &str) {
        let path = format!("/api/machines/{}", self.agent_id);
        let what = format!("{} to be {status}; see {}", self.name, self.folder.display());
        eventually(&what, async || {
            (self.owner.get(&path).await.ok()["status"] == status).then_some(())
        })
        .await;
    }

    /// Kills the agent as a crash would.
    pub fn kill(&self) {
        let process = self.running.lock().unwrap().take().expect("it runs");
        process.signal("KILL");
    }

    /// Sends the agent a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        self.with_process(|process| process.signal(name));
    }

    /// Whether the agent has not ended by itself.
    pub fn is_alive(&self) -> bool {
        self.with_process(Process::is_alive)
    }

    /// Resident memory of the agent, in bytes.
    pub fn memory(&self) -> u64 {
        self.with_process(|process| memory(process.pid))
    }

    /// The log of the agent.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("agent.log")).unwrap_or_default()
    }

    fn with_process<T>(&self, use_it: impl FnOnce(&Process) -> T) -> T {
        use_it(self.running.lock().unwrap().as_ref().expect("it runs"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.running.lock().unwrap().take());
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Enrols this host as a machine; a failure is what the agent said.
pub async fn configure(config: &Path, url: &str, token: &str) -> Result<(), String> {
    let user = shell_account().await;
    let mut command = Command::new(program("VSAY_AGENT_BIN", "vsay-agent"));
    command.args([
        "configure",
        "--no-service",
        "--token",
        token,
        "--host",
        url,
        "--linux-user",
        &user,
    ]);
    let output = command
        .arg("--config")
        .arg(config)
        .output()
        .await
        .expect("the agent runs");
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The recording of a session on the shared machine, which somebody has opened.
pub async fn recording(world: &World, session: &str) -> String {
    let path = format!("/api/machines/{}/recordings?limit=200", world.agent.agent_id);
    eventually(&format!("{session} to be recorded"), async || {
        let list = world.owner.get(&path).await.ok();
        let mut all = list["recordings"].as_array().expect("a list").iter();
        let of = all.find(|recording| recording["session_id"] == session)?;
        Some(of["id"].as_str().expect("an id").to_owned())
    })
    .await
}

/// The row in the log of a command that was sent to the shared machine, by its key.
pub async fn logged(world: &World, command_id: &str) -> String {
    let path = format!("/api/machines/{}/logs", world.agent.agent_id);
    eventually(&format!("{command_id} in the log"), async || {
        let logs = world.owner.get(&path).await.ok();
        let mut all = logs["logs"].as_array().expect("a list").iter();
        let of = all.find(|log| log["command_id"] == command_id)?;
        Some(of["key"].to_string())
    })
    .await
}

/// A request for the shared machine, of somebody in its owner's organization, which nobody has decided upon.
pub async fn requested(world: &World) -> String {
    let somebody = join(world.stack, &world.owner, "user").await;
    let body = json!({"machine_id": world.agent.machine_id});
    let made = somebody.post("/api/access-requests", body).await.ok();
    made["id"].as_str().expect("an id").to_owned()
}

/// An issue of the owner's, with a fix and a comment.
pub async fn written(world: &World) -> (String, String, String) {
    let made = async |path: &str, kind: &str, body: Value| {
        let made = world.owner.post(path, body).await.ok();
        made[kind]["id"].as_str().expect("an id").to_owned()
    };
    let body = json!({"title": "not for strangers", "description": "d"});
    let issue = made("/api/community/issues", "issue", body).await;
    let path = |rest: &str| format!("/api/community/issues/{issue}/{rest}");
    let fix = made(&path("fixes"), "fix", json!({"content": "c"})).await;
    let comment = made(&path("comments"), "comment", json!({"content": "c"})).await;
    (issue, fix, comment)
}

/// A rule of the owner's that told of something, the alert, and a webhook with a delivery, which did not arrive.
pub async fn alerted(world: &World) -> (String, String, String, String) {
    let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let owner = &world.owner;
    let rule = json!({"name": "not for strangers", "event": "failed_login", "count": 1});
    let rule = id(&owner.post("/api/alerts/rules", rule).await.ok());
    let wrong = json!({"email": owner.email, "password": "not this one"});
    assert_eq!(owner.post("/api/login", wrong).await.status, 401);
    let path = format!("/api/alerts?rule_id={rule}");
    let alert = eventually("an alert", async || {
        let list = owner.get(&path).await.ok();
        list["alerts"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    // Nothing listens there.
    let webhook = json!({"name": "not for strangers", "url": "http://127.0.0.1:9/"});
    let webhook = id(&owner.post("/api/webhooks", webhook).await.ok()["webhook"]);
    let path = format!("/api/webhooks/{webhook}/test");
    let delivery = id(&owner.post(&path, json!({})).await.ok());
    (rule, alert, webhook, delivery)
}

/// The account that shells run as. An unprivileged agent has no other than its own. Tests that run as root take one without
/// any rights.
async fn shell_account() -> String {
    let output = Command::new("id").arg("-un").output().await.expect("id runs");
    match String::from_utf8(output.stdout).expect("UTF-8").trim() {
        "root" => "nobody".to_owned(),
        own => own.to_owned(),
    }
}

/// A job of the owner's that is over, by its row: the machine is no runner.
pub fn job(world: &World, id: &str) -> String {
    world.stack.sql(&format!(
        "INSERT INTO jobs (id, organization_id, service, action, status, started_at, user_id, username)
         SELECT '{id}', organization_id, 'web', 'deploy', 'completed', '2026-01-01T00:00:00.000Z', id, username FROM users WHERE id = '{}'",
        world.owner.id
    ));
    id.to_owned()
}

/// A schedule of the owner's that is off, by its row: the machine has no services.
pub fn schedule(world: &World, id: &str) -> String {
    world.stack.sql(&format!(
        "INSERT INTO schedules (id, organization_id, name, service, inputs_sealed, input_names, cron, time_zone, enabled, overlap, missed,
           user_id, username, created_at)
         SELECT '{id}', organization_id, 'not for strangers', 'web', '', '[]', '@daily', 'UTC', 0, 'skip', 'skip', id, username,
           '2026-01-01T00:00:00.000Z' FROM users WHERE id = '{}'",
        world.owner.id
    ));
    id.to_owned()
}

/// A thing of the owner's inventory, a tag of that name, what this lets people do, and a rule about the thing.
pub async fn entered(world: &World, name: &str) -> (String, String, String, String) {
    let owner = &world.owner;
    let made = async |path: &str, body: Value| owner.post(path, body).await.ok()["id"].to_string();
    let role = owner
        .post("/api/roles", json!({"name": format!("of {name}")}))
        .await
        .ok()["id"]
        .clone();
    let object = made(
        "/api/inventory/server",
        json!({"data": {"hostname": format!("not for {name}")}}),
    )
    .await;
    let tag = made("/api/inventory/tags", json!({"name": name})).await;
    let right = json!({"role_id": role, "permission": "view"});
    let permission = made(&format!("/api/inventory/tags/{tag}/permissions"), right.clone()).await;
    let rule = made(&format!("/api/inventory/server/{object}/acl"), right).await;
    (object, tag, permission, rule)
}

/// A folder that shells may write to, whoever they run as.
pub fn folder_for_shells() -> TempDir {
    // Not below the tests' own: a folder above that may be closed to others.
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
    folder
}

/// A machine with its owner, for tests that open sessions of their own on it and leave it as it was.
pub struct World {
    /// The edge.
    pub stack: &'static Stack,
    /// The owner.
    pub owner: Account,
    /// The machine.
    pub agent: Agent,
}

impl World {
    /// The one that tests share.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<World> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let stack = Stack::shared().await;
                let owner = Account::new(stack).await;
                let agent = Agent::new(&owner, "shared").await;
                Self { stack, owner, agent }
            })
            .await
    }
}
