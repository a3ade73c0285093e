//! PAM of a machine of the tests: its services are files in the machine's own system, its modules those of the computer.
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::Uid;

use super::system::program;
use super::{Machine, given_program};

/// Where a machine has the helper.
const HELPER: &str = "usr/libexec/vsay/vsay-pam";

/// A machine with a session of PAM around each shell, in a service of these lines; nothing, and a word about it, where there
/// can be none. `{}` in a line is the machine's folder.
pub struct Pam {
    /// What [`Pam::record`] writes to.
    record: PathBuf,
}

impl Pam {
    /// Writes the service.
    pub fn on(machine: &Machine, lines: &[&str]) -> Option<Self> {
        if !Uid::effective().is_root() {
            return skipped("it takes root");
        }
        if !modules_are_here() {
            return skipped("pam_permit.so is not installed");
        }
        let directory = machine.directory.path();
        let record = directory.join("pam-record");
        // PAM_TYPE and its kin are what pam_exec hands to its program.
        let words = "$PAM_TYPE $PAM_SERVICE $PAM_USER $PAM_TTY $PAM_RUSER $PAM_RHOST";
        let text = format!("#!/bin/sh\necho \"{words}\" >>{}\n", record.display());
        program(&directory.join("record"), &text);
        let helper = machine.system.path(HELPER);
        fs::create_dir_all(helper.parent().unwrap()).unwrap();
        symlink(built_helper(), helper).unwrap();
        let service = machine.system.path("etc/pam.d/vsay-agent");
        fs::create_dir_all(service.parent().unwrap()).unwrap();
        let text = lines.join("\n").replace("{}", directory.to_str().unwrap());
        fs::write(service, text + "\n").unwrap();
        Some(Self { record })
    }

    /// The line of a service by which the beginning and the end of each session are on record.
    pub const RECORD: &str = "session required pam_exec.so {}/record";

    /// What sessions were opened and closed, in order.
    pub fn record(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn skipped(why: &str) -> Option<Pam> {
    eprintln!("SKIPPED, nothing was tested: {why}");
    None
}

/// Whether the modules that the services of the tests name are installed; all come with the library.
fn modules_are_here() -> bool {
    let libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"].map(Path::new);
    let folders = libraries.into_iter().flat_map(|library| {
        let below = fs::read_dir(library).into_iter().flatten();
        let below = below.filter_map(|entry| Some(entry.ok()?.path()));
        below.chain([library.to_owned()])
    });
    folders
        .into_iter()
        .any(|folder| folder.join("security/pam_permit.so").exists())
}

/// The helper beside the agent that is tested. Else that of the source as it is now: it is another package's program, which
/// Cargo builds for no test of this one.
fn built_helper() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(agent) = given_program() {
        return agent.with_file_name("vsay-pam");
    }
    let build = || {
        let folder = Path::new(env!("CARGO_BIN_EXE_vsay-agent")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        // Of the whole workspace, as the tests are: so what it stands on is not compiled once more with fewer features.
        cargo.args(["build", "--quiet", "--workspace", "--bin", "vsay-pam"]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        folder.join("vsay-pam")
    };
    BUILT.get_or_init(build).clone()
}
