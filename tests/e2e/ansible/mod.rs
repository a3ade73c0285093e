//! Deployments, playbooks of things and inventories by the real Ansible, on this machine alone. `scripts/test.sh ansible` installs it and
//! runs these: it takes longer to come than most tests take together.
mod things;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::join;

use crate::jobs::{Runner, lines, runner, watches};
use crate::support::stack::Stack;
use crate::support::wait::eventually;

/// What Ansible connects to without connecting.
const INVENTORY: &str = "[here]\nlocalhost ansible_connection=local\n";

fn program() -> String {
    std::env::var("ANSIBLE_PLAYBOOK").expect("ANSIBLE_PLAYBOOK names the program")
}

/// A service that Ansible deploys.
async fn deployed_by_ansible(name: &str, playbook: &str) -> Runner {
    let program = program();
    // It wants a home that it may write into, which the account of the jobs need not have; that of a task it takes from the account.
    let script = format!(
        "HOME=$(mktemp -d)\ntrap 'rm -rf \"$HOME\"' EXIT\n\
         export HOME ANSIBLE_REMOTE_TEMP=$HOME/task ANSIBLE_ASYNC_DIR=$HOME/async\n\
         {program} -i inventory main.yaml\n"
    );
    let files = [
        ("deploy.sh", script.as_str()),
        ("main.yaml", playbook),
        ("inventory", INVENTORY),
    ];
    runner(name, &files).await
}

/// A playbook for one group of hosts with these tasks.
fn play(hosts: &str, tasks: &str) -> String {
    format!("- hosts: {hosts}\n  gather_facts: false\n  tasks:\n{tasks}")
}

/// The processes of a job, whatever sessions and parents they have given themselves.
fn processes_of(job: &str) -> Vec<PathBuf> {
    let wanted = format!("VSAY_JOB_ID={job}");
    let is_of_job = |process: &Path| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes())
    };
    let all = fs::read_dir("/proc").expect("Linux");
    let paths = all.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| is_of_job(path)).collect()
}

#[tokio::test]
#[ignore = "wants Ansible: scripts/test.sh ansible"]
async fn a_playbook_is_watched_by_two_to_its_end_though_the_relay_is_lost() {
    let tasks = "    - name: before\n      ansible.builtin.command: seq 1 2000\n      register: numbers\n\
         \x20   - name: wait\n      ansible.builtin.wait_for: {path: \"{{ playbook_dir }}/go\", sleep: 1}\n\
         \x20   - name: after\n      ansible.builtin.debug: {var: numbers.stdout_lines}\n";
    let runner = deployed_by_ansible("playbook", &play("here", tasks)).await;
    let id = runner.deploys().await;
    let stack = Stack::shared().await;
    let disturb = async {
        let begun = async || {
            let job = runner.job(&id).await;
            assert_eq!(job["status"], "running", "{job:#}");
            lines(&job)
                .iter()
                .any(|line| line.contains("TASK [wait]"))
                .then_some(())
        };
        eventually("the second task", begun).await;
        stack.drop_relay(&runner.agent.machine_id);
        stack.evict(&runner.agent.machine_id);
        fs::write(runner.service.join("go"), "").expect("it is ours");
    };
    let owner = &runner.owner;
    let (one, two, ()) = join!(watches(owner, &id), watches(owner, &id), disturb);
    let job = runner.job(&id).await;
    assert_eq!((&job["status"], &job["exit_code"]), (&json!("completed"), &json!(0)));
    let all = (lines(&job).into_iter().map(str::to_owned).collect(), json!("completed"));
    assert!(one == all && two == all, "{one:#?}\n{two:#?}\n{all:#?}");
    // In colour, since it writes to a terminal.
    assert!(
        one.0
            .iter()
            .any(|line| line.starts_with("\u{1b}[") && line.contains("localhost"))
    );
    for number in 1..=2_000 {
        let wanted = format!("\"{number}\"");
        assert_eq!(
            one.0.iter().filter(|line| line.contains(&wanted)).count(),
            1,
            "{number}"
        );
    }
}

#[tokio::test]
#[ignore = "wants Ansible: scripts/test.sh ansible"]
async fn a_playbook_for_nobody_fails_and_says_so() {
    let runner = deployed_by_ansible("nobody", &play("elsewhere", "    - ansible.builtin.ping:\n")).await;
    let id = runner.deploys().await;
    let job = runner.over(&id).await;
    assert_eq!(
        (&job["status"], &job["exit_code"]),
        (&json!("failed"), &json!(1)),
        "{job:#}"
    );
    let warning = "[Warning: a group or host that was named is not in the inventory]";
    assert!(lines(&job).contains(&warning), "{job:#}");
}

#[tokio::test]
#[ignore = "wants Ansible: scripts/test.sh ansible"]
async fn a_playbook_that_is_called_off_leaves_no_process() {
    // Two that wait in sessions of their own.
    let tasks = "    - ansible.builtin.command: sleep 1000\n      async: 2000\n      poll: 0\n\
         \x20   - name: wait\n      ansible.builtin.command: sleep 1000\n";
    let runner = deployed_by_ansible("off", &play("here", tasks)).await;
    let id = runner.deploys().await;
    eventually("both sleepers", async || {
        let job = runner.job(&id).await;
        assert_eq!(job["status"], "running", "{job:#}");
        let is_sleeper =
            |process: &PathBuf| fs::read(process.join("cmdline")).is_ok_and(|line| line == b"sleep\x001000\0");
        let sleepers = processes_of(&id).iter().filter(|process| is_sleeper(process)).count();
        (sleepers == 2).then_some(())
    })
    .await;
    runner.owner.delete(&format!("/api/jobs/{id}")).await.ok();
    let job = runner.over(&id).await;
    assert_eq!((&job["status"], &job["cancelled"]), (&json!("failed"), &json!(true)));
    assert_eq!(processes_of(&id), [] as [PathBuf; 0]);
}
