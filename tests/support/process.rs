//! Programs that must not outlive the tests.
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs the program given as its arguments beside it, says its process id, and kills it when standard input ends: that
/// happens also when the process of the tests is killed.
const LIFELINE: &str = r#""$0" "$@" </dev/null >&2 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null"#;

/// A program that ends with its owner at the latest.
pub struct Process {
    wrapper: Child,
    /// The program's process id.
    pub pid: u32,
}

impl Process {
    /// Starts a program; what it says goes to the end of `log`.
    pub fn start(program: &Path, args: &[&str], log: &Path) -> Self {
        let log_file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log can be written");
        let mut wrapper = Command::new("sh")
            .args(["-c", LIFELINE])
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            // Not in the terminal's group: Ctrl-C must not kill the wrapper before its program.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        BufReader::new(wrapper.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("the wrapper speaks");
        let pid = line
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("no process id but {line:?}; see {}", log.display()));
        Self { wrapper, pid }
    }

    /// Sends a signal, such as `KILL`.
    pub fn signal(&self, name: &str) {
        signal(self.pid, name);
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        // A zombie has ended; the wrapper does not wait for it.
        fs::read_to_string(format!("/proc/{}/stat", self.pid))
            .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| !rest.starts_with('Z')))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.wrapper.stdin.take());
        let _ = self.wrapper.wait();
    }
}

/// Sends a signal to a process, if it is still there.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// The resident memory of a process, in bytes.
pub fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("the kernel counts memory");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

/// A folder for one test run, named after its process, so that a later run can clear away what a killed one left.
pub fn scratch() -> PathBuf {
    static ONCE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e");
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            let alive = old
                .file_name()
                .to_str()
                .is_some_and(|pid| Path::new("/proc").join(pid).exists());
            if !alive {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let mine = all.join(std::process::id().to_string());
        fs::create_dir_all(&mine).expect("the target folder can be written");
        mine
    })
    .clone()
}
