//! A runner's jobs, over its link: real scripts, run by a real bash.
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use protocol::ids::JobId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::jobs::{JobEnd, Outputs, Playbook, StartJob};
use protocol::terminal::services::{Answer, Refusal};
use tokio::process::Child;

use crate::support::{Connection, Machine, Relay, program, until, within};

struct Runner {
    relay: Relay,
    machine: Machine,
    agent: Child,
    service: PathBuf,
}

/// A runner with one service, and its link.
async fn runner() -> (Runner, Connection) {
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    let directory = machine.directory.path().join("services");
    let service = directory.join("web");
    fs::create_dir_all(&service).unwrap();
    // The account that jobs run as may be another than that of the tests.
    for folder in [machine.directory.path(), &directory, &service] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    machine.config.services = Some(vsay_agent::config::Services {
        directory,
        pass_environment: Vec::new(),
        trust_new_hosts: true,
    });
    let agent = machine.start();
    let link = relay.welcome_with_services().await;
    let runner = Runner {
        relay,
        machine,
        agent,
        service,
    };
    (runner, link)
}

fn id(number: u32) -> JobId {
    format!("{number:08x}").parse().unwrap()
}

fn script(runner: &Runner, text: &str) {
    fs::write(runner.service.join("deploy.sh"), text).unwrap();
}

fn start(job: JobId) -> StartJob {
    StartJob {
        job,
        number: None,
        service: "web".into(),
        file: "deploy.sh".into(),
        playbook: None,
        title: "Running deploy.sh for web".into(),
        username: "ann".into(),
        environment: BTreeMap::new(),
        secrets: Vec::new(),
        vault_password: None,
    }
}

/// What an edge has of a job.
#[derive(Default)]
struct Stored {
    output: String,
    deployment_id: Option<String>,
}

impl Stored {
    /// Takes in what the agent says of jobs, and says that it is stored.
    async fn take(&mut self, link: &mut Connection) -> Option<JobEnd> {
        match link.message().await {
            FromAgent::JobOutput { output } => {
                assert!(
                    output.offset <= self.output.len() as u64,
                    "a hole before {}",
                    output.offset
                );
                if output.offset == self.output.len() as u64 {
                    self.output.push_str(&output.text);
                }
                self.deployment_id = output.deployment_id.or(self.deployment_id.take());
                let offset = self.output.len() as u64;
                link.send(ToAgent::JobStored {
                    job: output.job,
                    offset,
                })
                .await;
                None
            }
            FromAgent::JobEnded { end } => Some(end),
            _ => None,
        }
    }

    async fn over(&mut self, link: &mut Connection) -> JobEnd {
        within("the end of a job", async {
            loop {
                if let Some(end) = self.take(link).await {
                    return end;
                }
            }
        })
        .await
    }

    async fn until(&mut self, link: &mut Connection, text: &str) {
        while !self.output.contains(text) {
            assert_eq!(
                self.take(link).await,
                None,
                "it ended without {text:?}: {}",
                self.output
            );
        }
    }

    fn lines(&self) -> Vec<&str> {
        self.output.lines().collect()
    }
}

async fn run(link: &mut Connection, start: StartJob) -> (Stored, JobEnd) {
    link.send(ToAgent::Job { job: start }).await;
    let mut stored = Stored::default();
    let end = stored.over(link).await;
    (stored, end)
}

/// Whether a process carries the mark of a job.
fn is_there(job: &JobId) -> bool {
    let mark = format!("VSAY_JOB_ID={job}");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut environments = entries.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    environments.any(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes())
    })
}

/// Whether a process that has written its number there runs.
fn runs(file: &Path) -> bool {
    let id = fs::read_to_string(file).unwrap();
    fs::read_to_string(format!("/proc/{}/stat", id.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_job_runs_in_its_service_as_by_hand_but_nobody_can_be_asked() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "echo $PWD; echo \"$LC_ALL $ANSIBLE_HOST_PATTERN_MISMATCH $INPUT_NAME $VSAY_JOB_ID\"\n\
         test -t 1 && test -t 2 && stty size <&1; read line || echo nothing to read; (: </dev/tty) 2>/dev/null || echo nobody\n\
         printf 'DEPLOYMENT_ID=web-7\\r\\n'; printf '\\xff' >&2; exit 3\n",
    );
    let environment = BTreeMap::from([("INPUT_NAME".to_owned(), "two words".to_owned())]);
    let (stored, end) = run(
        &mut link,
        StartJob {
            environment,
            ..start(id(1))
        },
    )
    .await;
    let service = runner.service.canonicalize().unwrap();
    assert_eq!(
        stored.lines(),
        [
            "--- Running deploy.sh for web ---",
            "$ bash deploy.sh",
            service.to_str().unwrap(),
            "C.UTF-8 error two words 00000001",
            "40 120",
            "nothing to read",
            "nobody",
            "DEPLOYMENT_ID=web-7",
            "\u{fffd}",
            "[EXIT CODE: 3]",
        ]
    );
    assert!(stored.output.contains("web-7\r\n"));
    assert_eq!(stored.deployment_id.as_deref(), Some("web-7"));
    let expected = JobEnd {
        job: id(1),
        code: Some(3),
        signal: None,
        note: None,
        outputs: Outputs::default(),
    };
    assert_eq!(end, expected);
}

#[tokio::test]
async fn a_job_has_what_a_login_has_and_programs_end_when_nobody_reads_what_they_write() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "for name in HOME USER LOGNAME SHELL PATH; do [ -n \"${!name}\" ] || echo no $name; done\n\
         set -o pipefail; yes | head -n 1 >/dev/null; echo \"yes: $?\"\n\
         for fd in 1 2; do while read name value; do [ $name = flags: ] && echo $((value & 04000)); done </proc/$$/fdinfo/$fd; done; exit 0\n",
    );
    let (stored, end) = run(&mut link, start(id(17))).await;
    // SIGPIPE, which a service ignores, ends them, and what they write waits until there is room.
    assert_eq!(stored.lines()[2..], ["yes: 141", "0", "0"]);
    assert_eq!(end.code, Some(0));
}

#[tokio::test]
async fn what_the_operator_lets_through_counts_before_what_a_job_has_otherwise() {
    let (mut runner, _link) = runner().await;
    script(
        &runner,
        "echo $ANSIBLE_HOST_PATTERN_MISMATCH $ANSIBLE_INVENTORY_UNPARSED_FAILED $NOT_NAMED\n",
    );
    runner.agent.start_kill().unwrap();
    runner.agent.wait().await.unwrap();
    let services = runner.machine.config.services.as_mut().unwrap();
    services.pass_environment = vec!["ANSIBLE_HOST_PATTERN_MISMATCH".to_owned()];
    let mut agent = program();
    agent.args(runner.machine.start_words());
    for name in ["ANSIBLE_HOST_PATTERN_MISMATCH", "NOT_NAMED"] {
        agent.env(name, "warning");
    }
    let _agent = agent.spawn().unwrap();
    let mut link = runner.relay.welcome_with_services().await;
    let (stored, _) = run(&mut link, start(id(18))).await;
    assert_eq!(stored.lines().last(), Some(&"warning 1"));
}

#[tokio::test]
async fn ansible_that_is_called_off_is_said_to_go_on_elsewhere() {
    let (runner, mut link) = runner().await;
    script(&runner, "echo 'PLAY [all] ***'; while :; do sleep 0.1; done\n");
    link.send(ToAgent::Job { job: start(id(19)) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "PLAY [all]").await;
    let username = "ann".to_owned();
    link.send(ToAgent::CancelJob { job: id(19), username }).await;
    stored.over(&mut link).await;
    let said = stored.lines();
    let words = "[Warning: what Ansible had begun on other machines may go on there]";
    assert!(said.ends_with(&[words, "[CANCELLED by ann]"]), "{said:?}");
}

#[tokio::test]
async fn what_a_service_says_of_itself_is_told_when_a_script_of_it_ended_well_and_is_not_noted() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "mkdir -p outputs; printf 'outputs:\\n  - {name: root, type: credential, value: hunter2}\\n' >outputs/service_outputs.yaml; exit $INPUT_CODE\n",
    );
    fs::write(runner.service.join("main.yaml"), "- hosts: localhost\n").unwrap();
    let code = |code: &str| BTreeMap::from([("INPUT_CODE".to_owned(), code.to_owned())]);
    let job = |number, environment| StartJob {
        environment,
        ..start(id(number))
    };
    let (_, failed) = run(&mut link, job(21, code("3"))).await;
    assert_eq!((failed.code, failed.outputs), (Some(3), Outputs::default()));
    let (_, well) = run(&mut link, job(22, code("0"))).await;
    let told = serde_json::json!([{"name": "root", "type": "credential", "value": "hunter2"}]);
    assert_eq!(
        (well.code, serde_json::to_value(&well.outputs).unwrap()),
        (Some(0), told)
    );
    let config = &runner.machine.config;
    let note = config.storage.jobs(&config.agent.id).join(id(22).as_str());
    let noted = fs::read_to_string(note).unwrap();
    assert!(noted.contains("\"code\":0") && !noted.contains("hunter2"), "{noted}");
    // A playbook is of something else.
    let bin = runner.machine.directory.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("ansible-playbook"), "#!/bin/bash\n").unwrap();
    for path in [bin.clone(), bin.join("ansible-playbook")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    search_path(&runner, &format!("{}:/usr/bin:/bin", bin.display()));
    let playbook = StartJob {
        file: "main.yaml".into(),
        playbook: Some(Playbook::default()),
        ..start(id(23))
    };
    let (_, end) = run(&mut link, playbook).await;
    assert_eq!((end.code, end.outputs), (Some(0), Outputs::default()));
}

#[tokio::test]
async fn a_recap_is_told_in_words_beside_the_exit_code() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "printf 'PLAY RECAP ****\\nweb : ok=1 unreachable=0 failed=1\\ndb : ok=1 unreachable=1 failed=0'; exit 4\n",
    );
    let (stored, end) = run(&mut link, start(id(20))).await;
    assert!(
        stored
            .lines()
            .ends_with(&["[Hosts: 1 failed, 1 unreachable]", "[EXIT CODE: 4]"]),
        "{}",
        stored.output
    );
    assert_eq!(end.code, Some(4));
}

#[tokio::test]
async fn a_job_that_is_called_off_is_over_when_none_of_its_processes_is_left() {
    let (runner, mut link) = runner().await;
    // One ignores the request to end, one has left session and environment, and both have lost their parent.
    script(
        &runner,
        "trap '' TERM\n\
         (trap '' TERM; for n in $(seq 50000); do echo line $n; done; echo $BASHPID >stubborn; while :; do sleep 1; done) &\n\
         env -i setsid bash -c 'trap \"\" TERM; echo $$ >away; while :; do sleep 1; done' &\n\
         while [ ! -s stubborn -o ! -s away ]; do sleep 0.05; done; echo all there; wait\n",
    );
    link.send(ToAgent::Job { job: start(id(2)) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "all there\n").await;
    let files = ["stubborn", "away"].map(|file| runner.service.join(file));
    assert!(files.iter().all(|file| runs(file)));
    let username = "ann".to_owned();
    link.send(ToAgent::CancelJob { job: id(2), username }).await;
    let end = stored.over(&mut link).await;
    assert!(!files.iter().any(|file| runs(file)) && !is_there(&id(2)));
    assert_eq!(end.code, None, "{end:?}");
    let written: Vec<&str> = stored
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("line "))
        .collect();
    let expected: Vec<String> = (1..=50_000).map(|n| format!("line {n}")).collect();
    assert_eq!(written, expected);
    assert_eq!(stored.lines().last(), Some(&"[CANCELLED by ann]"));
}

#[tokio::test]
async fn a_job_that_ends_when_it_is_asked_to_may_still_say_something() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "trap 'echo cleaned up; exit 7' TERM; echo ready; while :; do sleep 0.1; done\n",
    );
    link.send(ToAgent::Job { job: start(id(3)) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "ready\n").await;
    let username = "ann".to_owned();
    link.send(ToAgent::CancelJob { job: id(3), username }).await;
    assert_eq!(stored.over(&mut link).await.code, Some(7));
    // Before that, bash says that what it waited for was terminated.
    let said = stored.lines();
    assert!(
        said.ends_with(&["cleaned up", "[EXIT CODE: 7]", "[CANCELLED by ann]"]),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_job_goes_on_without_a_link_and_is_told_from_where_the_edge_has_it() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "echo before; while [ ! -e go ]; do sleep 0.05; done; echo after\n",
    );
    link.send(ToAgent::Job { job: start(id(4)) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "before\n").await;
    link.cut();
    let mut link = runner.relay.welcome_with_services().await;
    fs::write(runner.service.join("go"), "").unwrap();
    let jobs = async {
        loop {
            if let FromAgent::Jobs { jobs } = link.message().await {
                return jobs;
            }
        }
    };
    assert_eq!(within("the jobs there are", jobs).await, [id(4)]);
    // The edge has lost the end of what it said that it had: all of it comes again.
    stored.output.truncate(10);
    link.send(ToAgent::JobStored { job: id(4), offset: 10 }).await;
    assert_eq!(stored.over(&mut link).await.code, Some(0));
    assert_eq!(
        stored.lines(),
        [
            "--- Running deploy.sh for web ---",
            "$ bash deploy.sh",
            "before",
            "after"
        ]
    );
    // The same order again runs nothing.
    link.send(ToAgent::Job { job: start(id(4)) }).await;
    link.send(ToAgent::ForgetJob { job: id(4) }).await;
    let note = runner.machine.config.storage.jobs(&runner.machine.config.agent.id);
    until("the note to be gone", || fs::read_dir(&note).unwrap().next().is_none()).await;
}

#[tokio::test]
async fn what_is_left_of_a_job_whose_agent_was_killed_is_ended_and_the_job_has_failed() {
    let (mut runner, mut link) = runner().await;
    script(
        &runner,
        "setsid bash -c 'trap \"\" TERM HUP; echo $$ >away; while :; do sleep 1; done' & \n\
         while [ ! -s away ]; do sleep 0.05; done; echo there; wait\n",
    );
    link.send(ToAgent::Job { job: start(id(5)) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "there\n").await;
    runner.agent.start_kill().unwrap();
    runner.agent.wait().await.unwrap();
    assert!(runs(&runner.service.join("away")));
    let _again = runner.machine.start();
    let mut link = runner.relay.welcome_with_services().await;
    link.send(ToAgent::JobStored {
        job: id(5),
        offset: stored.output.len() as u64,
    })
    .await;
    let end = stored.over(&mut link).await;
    assert!(!runs(&runner.service.join("away")) && !is_there(&id(5)));
    assert_eq!((end.code, end.signal), (None, None));
    assert!(end.note.unwrap().contains("agent ended while the job ran"));
}

#[tokio::test]
async fn secrets_do_not_leave_the_machine() {
    let (runner, mut link) = runner().await;
    script(
        &runner,
        "set -x; echo \"$INPUT_PASSWORD\"; printf '%q\\n' \"$INPUT_PASSWORD\"; printf 'hun'; sleep 0.3; printf \"ter'2\\n\"\n",
    );
    let secret = "hunter'2".to_owned();
    let (stored, _) = run(
        &mut link,
        StartJob {
            environment: BTreeMap::from([("INPUT_PASSWORD".to_owned(), secret.clone())]),
            secrets: vec![secret],
            ..start(id(6))
        },
    )
    .await;
    assert!(!stored.output.contains("hunter"), "{}", stored.output);
    assert!(stored.output.matches("********").count() >= 3, "{}", stored.output);
}

#[tokio::test]
async fn a_script_that_is_not_there_or_elsewhere_does_not_run() {
    let (runner, mut link) = runner().await;
    let outside = runner.machine.directory.path().join("outside.sh");
    fs::write(&outside, "echo outside\n").unwrap();
    std::os::unix::fs::symlink(&outside, runner.service.join("link.sh")).unwrap();
    for (number, file, words) in [
        (7, "missing.sh", "[ERROR: Script file 'missing.sh' not found]"),
        (8, "../../outside.sh", "[ERROR: Path traversal detected in script file]"),
        (9, "link.sh", "[ERROR: Path traversal detected in script file]"),
    ] {
        let file = file.to_owned();
        let (stored, end) = run(
            &mut link,
            StartJob {
                file,
                ..start(id(number))
            },
        )
        .await;
        assert_eq!(stored.lines().last(), Some(&words));
        assert_eq!((end.code, end.signal), (None, None));
    }
}

/// Has the programs of jobs be looked for in a directory besides those of the system, or in it alone.
fn search_path(runner: &Runner, path: &str) {
    let etc = runner.machine.system.path("etc");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("environment"), format!("PATH={path}\n")).unwrap();
}

#[tokio::test]
async fn a_playbook_is_run_by_ansible_with_what_it_is_given_in_files() {
    let (runner, mut link) = runner().await;
    let bin = runner.machine.directory.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join("ansible-playbook");
    // It says what it is given, as Ansible would with -vvvv.
    let text = "#!/bin/bash\npwd\nprintf '<%s>' \"$1\" \"$2\" \"$4\"; echo\nstat -c %a \"$3\" \"${5#@}\"\ncat \"$3\" \"${5#@}\"\n\
                echo \"$ANSIBLE_INVENTORY_UNPARSED_FAILED $INPUT_NAME\"\n";
    fs::write(&program, text).unwrap();
    for path in [&bin, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    search_path(&runner, &format!("{}:/usr/bin:/bin", bin.display()));
    fs::create_dir(runner.service.join("plays")).unwrap();
    fs::write(runner.service.join("plays/destroy.yaml"), "- hosts: localhost\n").unwrap();
    let variables = [("label", "web {{ 1 + 1 }}"), ("token", "hunter2\nhunter3")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let playbook = Playbook {
        variables: variables.into(),
    };
    let order = StartJob {
        file: "plays/destroy.yaml".into(),
        playbook: Some(playbook),
        title: "Running destroy (playbook)".into(),
        environment: BTreeMap::from([("INPUT_NAME".to_owned(), "x".to_owned())]),
        secrets: vec!["hunter2\nhunter3".into()],
        vault_password: Some("open sesame".into()),
        ..start(id(13))
    };
    let (stored, end) = run(&mut link, order).await;
    assert_eq!(end.code, Some(0), "{}", stored.output);
    let config = &runner.machine.config;
    let files = config.storage.job_files(&config.agent.id, &id(13));
    let said = format!(
        "$ ansible-playbook plays/destroy.yaml --vault-password-file {0}/vault-password -e @{0}/variables.yaml",
        files.display()
    );
    let service = runner.service.canonicalize().unwrap();
    assert_eq!(
        stored.lines(),
        [
            "--- Running destroy (playbook) ---",
            &said,
            service.to_str().unwrap(),
            "<plays/destroy.yaml><--vault-password-file><-e>",
            "600",
            "600",
            // The password has no line end of its own.
            "********\"label\": !unsafe \"web {{ 1 + 1 }}\"",
            "\"token\": !unsafe \"********\\u000a********\"",
            "0 x",
        ]
    );
    assert!(!files.exists());
}

#[tokio::test]
async fn a_playbook_that_is_not_there_or_that_nothing_runs_fails_in_words() {
    let (runner, mut link) = runner().await;
    fs::write(runner.service.join("main.yaml"), "- hosts: localhost\n").unwrap();
    search_path(&runner, "/nowhere");
    let playbook = |number, file: &str| StartJob {
        file: file.into(),
        playbook: Some(Playbook::default()),
        ..start(id(number))
    };
    let (stored, end) = run(&mut link, playbook(14, "main.yaml")).await;
    let said = stored.lines();
    assert!(
        said[2].starts_with("[ERROR: ansible-playbook is not installed on this machine"),
        "{said:?}"
    );
    assert_eq!((said[1], said[3]), ("$ ansible-playbook main.yaml", "[EXIT CODE: 127]"));
    assert_eq!(end.code, Some(127));
    let (stored, end) = run(&mut link, playbook(15, "missing.yaml")).await;
    let words = "[ERROR: Playbook not found: /services/web/missing.yaml]";
    assert_eq!((stored.lines().last(), end.code), (Some(&words), None));
    let (stored, _) = run(&mut link, playbook(16, "../other.yaml")).await;
    let words = "[ERROR: Path traversal detected in script file]";
    assert_eq!(stored.lines().last(), Some(&words));
}

/// What the agent answers next, under its number. Besides, it says which services and jobs there are.
async fn answered(link: &mut Connection) -> (u64, Answer) {
    loop {
        if let FromAgent::Service { number, answer } = link.message().await {
            return (number, answer);
        }
    }
}

#[tokio::test]
async fn a_vault_password_is_in_a_file_of_the_jobs_own_that_goes_when_it_ends_also_if_the_agent_was_killed() {
    let (mut runner, mut link) = runner().await;
    script(
        &runner,
        "cd \"$(dirname \"$0\")\" && stat -c %a \"$VAULT_PASSWORD_FILE\"; cat \"$ANSIBLE_VAULT_PASSWORD_FILE\"; echo; env >&2\n\
         echo \"$VAULT_PASSWORD_FILE\" >file; while [ ! -e go ]; do sleep 0.05; done\n",
    );
    let job = |number| StartJob {
        vault_password: Some("open 'sesame'".to_owned()),
        ..start(id(number))
    };
    let file = || PathBuf::from(fs::read_to_string(runner.service.join("file")).unwrap().trim());
    link.send(ToAgent::Job { job: job(11) }).await;
    let mut stored = Stored::default();
    stored.until(&mut link, "VSAY_JOB_ID").await;
    until("the file to be named", || runner.service.join("file").exists()).await;
    until("the file to be there", || file().exists()).await;
    fs::write(runner.service.join("go"), "").unwrap();
    assert_eq!(stored.over(&mut link).await.code, Some(0));
    assert_eq!(stored.lines()[2..4], ["600", "********"]);
    assert!(!stored.output.contains("sesame"));
    assert!(!file().parent().unwrap().exists());

    for name in ["go", "file"] {
        fs::remove_file(runner.service.join(name)).unwrap();
    }
    link.send(ToAgent::Job { job: job(12) }).await;
    until("the second file to be named", || {
        fs::read_to_string(runner.service.join("file")).is_ok_and(|name| name.ends_with('\n'))
    })
    .await;
    let left = file();
    runner.agent.start_kill().unwrap();
    runner.agent.wait().await.unwrap();
    assert!(left.exists());
    let _again = runner.machine.start();
    runner.relay.welcome_with_services().await;
    until("the password to be gone", || !left.parent().unwrap().exists()).await;
}

#[tokio::test]
async fn an_order_with_a_number_is_answered_before_anything_runs() {
    let (runner, mut link) = runner().await;
    script(&runner, "echo ran\n");
    for (number, file, refusal) in [
        (1, "missing.sh", Refusal::NotFound),
        (2, "../web/deploy.sh", Refusal::Traversal),
    ] {
        let job = StartJob {
            number: Some(number),
            file: file.to_owned(),
            ..start(id(10))
        };
        link.send(ToAgent::Job { job }).await;
        let answer = Answer::Refused { refusal };
        assert_eq!(answered(&mut link).await, (number, answer));
    }
    // Of those nothing is left, so that the same job may be ordered again.
    let note = runner.machine.config.storage.jobs(&runner.machine.config.agent.id);
    assert!(fs::read_dir(&note).unwrap().next().is_none());
    let job = StartJob {
        number: Some(3),
        ..start(id(10))
    };
    link.send(ToAgent::Job { job }).await;
    assert_eq!(answered(&mut link).await, (3, Answer::Done));
    let mut stored = Stored::default();
    assert_eq!(stored.over(&mut link).await.code, Some(0));
    assert_eq!(stored.lines().last(), Some(&"ran"));
}
