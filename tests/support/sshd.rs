//! A real OpenSSH server on this computer, for whoever runs the tests, with keys and a configuration of the test's own.
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;
use super::wait::eventually;

/// Where it is that has no place in the path of people.
const PLACES: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// What a login runs: nobody's start-up files, and nothing of what the tests were started with.
const SHELL: &str = r#"exec env -i TERM="$TERM" PATH=/usr/bin:/bin PS1='$ ' /bin/bash --noprofile --norc -i"#;

/// One such server.
pub struct Sshd {
    folder: TempDir,
    /// Where it listens, on the loopback.
    pub port: u16,
    program: PathBuf,
    running: Option<Process>,
}

impl Sshd {
    /// Starts one. Where there is no server (on Debian: `apt-get install openssh-server`), there is none, and the test says that it did not
    /// run.
    pub async fn start() -> Option<Self> {
        let Some(program) = PLACES.into_iter().map(PathBuf::from).find(|place| place.exists()) else {
            eprintln!("there is no sshd (openssh-server) on this computer: what needs one was not tested");
            return None;
        };
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let mut sshd = Self {
            folder: tempfile::tempdir().expect("a folder"),
            port,
            program,
            running: None,
        };
        for name in ["host_ed25519", "host_other", "login", "stranger"] {
            make_key(&sshd.file(name), "ed25519");
        }
        make_key(&sshd.file("host_ecdsa"), "ecdsa");
        make_key(&sshd.file("login_rsa"), "rsa");
        let allowed = ["login.pub", "login_rsa.pub"].map(|name| sshd.read(name));
        fs::write(sshd.file("authorized_keys"), allowed.concat()).expect("it is ours");
        sshd.start_with("host_ed25519").await;
        Some(sshd)
    }

    /// Starts it (anew) with a host key.
    pub async fn start_with(&mut self, host_key: &str) {
        drop(self.running.take());
        if is_root() {
            // Where its helpers are shut in. A system that starts one itself makes it then.
            let _ = fs::create_dir("/run/sshd");
        }
        let folder = self.folder.path().display();
        let port = self.port;
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/{host_key}\nAuthorizedKeysFile {folder}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             PidFile none\nPrintMotd no\nPrintLastLog no\nForceCommand {SHELL}\n"
        );
        fs::write(self.file("sshd_config"), config).expect("it is ours");
        let config = self.file("sshd_config").display().to_string();
        self.running = Some(Process::start(
            &self.program,
            &["-D", "-e", "-f", &config],
            &self.file("sshd.log"),
        ));
        eventually(&format!("sshd to listen; {}", self.read("sshd.log")), async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        })
        .await;
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What stands in one.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// A public key of its, as `known_hosts` has it: type and key.
    pub fn public(&self, name: &str) -> String {
        let text = self.read(&format!("{name}.pub"));
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    /// The fingerprint of one.
    pub fn fingerprint(&self, name: &str) -> String {
        let output = Command::new("ssh-keygen")
            .args(["-l", "-f"])
            .arg(self.file(&format!("{name}.pub")))
            .output()
            .expect("ssh-keygen runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.split(' ').nth(1).expect("a fingerprint").to_owned()
    }

    /// What it is called in `known_hosts`.
    pub fn name(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    /// The inventory of a service that knows it as `hostname` and has the key in a file.
    pub fn inventory(&self, hostname: &str, key: &str) -> String {
        let (port, user) = (self.port, user());
        format!(
            "all:\n  hosts:\n    {hostname}:\n      ansible_host: 127.0.0.1\n      ansible_port: {port}\n      ansible_user: {user}\n      \
             ansible_ssh_private_key_file: {key}\n"
        )
    }
}

/// Who runs the tests, which is whom this lets in.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn is_root() -> bool {
    user() == "root"
}

fn make_key(file: &Path, kind: &str) {
    let done = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "", "-t", kind, "-f"])
        .arg(file)
        .status()
        .expect("ssh-keygen runs");
    assert!(done.success());
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("it is ours");
}
