//! What Ansible makes of things of the inventory: of those that a playbook is about, and of those that are exported for it.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{play, program};
use crate::inventory_actions::{over, starts};
use crate::jobs::{Runner, lines, runner};
use crate::support::account::Account;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

/// What Ansible would run, were it a template, and what else must come through as it is.
const NOTE: &str =
    "{{ 7 * 7 }} {{ lookup('pipe', 'touch pwned') }} {% if x %} {# y #} 'q' \"Q\" \\ \u{e9} \u{2028} !unsafe: x";

/// A secret in which each way of quoting shows, and which looks like a template, too.
const SECRET: &str = "ge\"heim'\\{{ 7 * 7 }}\u{e9}$!";

/// What a playbook does with what it is given: it waits in between, so that one can see what it runs with.
const PLAYBOOK: &str = "- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: wait
      ansible.builtin.wait_for: {path: \"{{ playbook_dir }}/go\", sleep: 1}
    - name: say
      ansible.builtin.debug: {msg: \"note=<{{ note }}>\"}
    - name: show
      ansible.builtin.debug: {var: password}
    - name: log in
      ansible.builtin.command: {argv: [echo, \"{{ password }}\"]}
      register: login
    - name: repeat
      ansible.builtin.debug: {var: login}
    - name: write
      ansible.builtin.copy: {content: \"{{ item.text }}\", dest: \"{{ playbook_dir }}/{{ item.name }}\", mode: '0644'}
      loop:
        - {name: note, text: \"{{ note }}\"}
        - {name: password, text: \"{{ password }}\"}
    - name: fail
      ansible.builtin.shell: \"echo {{ password | quote }} >&2; exit 3\"
      ignore_errors: true
    - name: use
      ansible.builtin.set_fact: {again: \"{{ note }}\"}
    - name: use again
      ansible.builtin.debug: {msg: \"again=<{{ again }}> number={{ size | int + 1 }}\"}
";

/// Has programs of jobs be found where Ansible is. Its tasks have a folder to write into, as the account of the jobs need have no home.
fn finds_ansible(runner: &Runner) {
    let program = PathBuf::from(program());
    let folder = program.parent().expect("a folder").display();
    let tasks = runner.agent.system_file("home/tasks");
    let text = format!("PATH={folder}:/usr/bin:/bin\nANSIBLE_REMOTE_TEMP={}\n", tasks.display());
    fs::write(runner.agent.system_file("etc/environment"), text).expect("it is ours");
}

/// A type of one's own with a playbook, and a thing of it.
async fn box_with_playbook(owner: &Account) -> Value {
    let fields = json!([
        {"name": "name", "type": "string", "required": true}, {"name": "note", "type": "text"}, {"name": "size", "type": "integer"},
        {"name": "password", "type": "secret"}
    ]);
    let mapping = json!({"note": "{{ note }}", "password": "{{ password }}", "size": "{{ size }}"});
    let actions = json!([{"name": "configure", "type": "playbook", "playbook": "/services/web/main.yaml", "vars_mapping": mapping}]);
    let body = json!({"slug": "box", "label": "Box", "fields": fields, "actions": actions});
    assert_eq!(owner.post("/api/inventory/types", body).await.status, 201);
    let data = json!({"name": "one", "note": NOTE, "size": 41, "password": SECRET});
    owner.post("/api/inventory/box", json!({"data": data})).await.ok()
}

#[tokio::test]
#[ignore = "wants Ansible: scripts/test.sh ansible"]
async fn a_playbook_is_given_what_a_thing_says_as_it_is_and_its_secret_is_seen_nowhere() {
    let runner = runner("acts", &[("main.yaml", PLAYBOOK)]).await;
    fs::set_permissions(&runner.service, fs::Permissions::from_mode(0o777)).expect("it is ours");
    finds_ansible(&runner);
    let owner = &runner.owner;
    let made = box_with_playbook(owner).await;
    let id = starts(
        owner,
        &format!("/api/inventory/box/{}/actions/configure", made["id"]),
        json!({}),
    )
    .await;
    let variables = eventually("the first task", async || {
        let job = runner.job(&id).await;
        let wrote = lines(&job);
        assert_eq!(job["status"], "running", "{wrote:#?}");
        wrote.iter().find(|line| line.contains("TASK [wait]"))?;
        let command = wrote[1].strip_prefix("$ ansible-playbook main.yaml -e @");
        Some(PathBuf::from(command.unwrap_or_else(|| panic!("{wrote:#?}"))))
    })
    .await;
    let mode = fs::metadata(&variables).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        fs::read_to_string(&variables)
            .expect("a text")
            .contains("\"note\": !unsafe \"{{ 7 * 7 }} ")
    );
    fs::write(runner.service.join("go"), "").expect("it is ours");

    let job = over(owner, &id).await;
    let wrote = lines(&job);
    assert_eq!(
        (
            &job["status"],
            &job["exit_code"],
            &job["object_id"],
            &job["type_slug"],
            &job["action"]
        ),
        (
            &json!("completed"),
            &json!(0),
            &made["id"],
            &json!("box"),
            &json!("configure")
        ),
        "{wrote:#?}"
    );
    assert_eq!(wrote[0], "--- Running configure (playbook) ---");
    assert!(wrote.iter().any(|line| line.contains("PLAY RECAP")), "{wrote:#?}");
    assert!(wrote.contains(&"[Hosts: 1 ok]"), "{wrote:#?}");
    for part in [
        "note=<{{ 7 * 7 }} {{ lookup('pipe', 'touch pwned') }} {% if x %} {# y #} ",
        "again=<{{ 7 * 7 }} ",
        "number=42",
    ] {
        assert!(wrote.iter().any(|line| line.contains(part)), "{part}: {wrote:#?}");
    }
    let text = |name: &str| fs::read_to_string(runner.service.join(name)).expect("a text");
    assert_eq!((text("note").as_str(), text("password").as_str()), (NOTE, SECRET));
    assert!(!runner.service.join("pwned").exists());

    // Nothing of the secret is in what was written, whichever way Ansible has quoted it, nor in any other place.
    let all = wrote.join("\n");
    assert!(all.contains("********"), "{all}");
    for place in [
        all,
        runner.agent.log(),
        Stack::shared().await.log(),
        owner.get("/api/audit").await.ok().to_string(),
    ] {
        assert!(!place.contains("heim"), "{place}");
    }
    assert!(!variables.exists() && !variables.parent().expect("a folder").exists());
}

#[tokio::test]
#[ignore = "wants Ansible: scripts/test.sh ansible"]
async fn the_file_that_the_inventory_is_exported_as_is_one_of_ansible() {
    let owner = Account::new(Stack::shared().await).await;
    let tag = async |name: &str| owner.post("/api/inventory/tags", json!({"name": name})).await.ok()["id"].clone();
    let tags = json!([tag("my web").await, tag("2nd").await, tag("all").await]);
    for (hostname, note, tags) in [("web-1", NOTE, tags), ("db[1:3]", "plain: on", json!([]))] {
        let data =
            json!({"hostname": hostname, "ip_address": "192.0.2.1", "region": "no", "notes": note, "plan": "1e3"});
        owner
            .post("/api/inventory/server", json!({"data": data, "tag_ids": tags}))
            .await
            .ok();
    }
    let path = "/api/inventory/server/export?format=ansible";
    let answer = owner
        .request(reqwest::Method::GET, path)
        .send()
        .await
        .expect("an answer");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("inventory.yaml"),
        answer.text().await.expect("a text"),
    )
    .expect("it is ours");
    let tasks = "    - ansible.builtin.copy: {content: \"{{ hostvars[item] | to_json }}\", dest: \"{{ playbook_dir }}/{{ item }}.json\"}\n\
         \x20     loop: \"{{ groups.all }}\"\n\
         \x20   - ansible.builtin.copy: {content: \"{{ groups | to_json }}\", dest: \"{{ playbook_dir }}/groups.json\"}\n";
    fs::write(folder.path().join("main.yaml"), play("localhost", tasks)).expect("it is ours");
    let output = Command::new(program())
        .args(["-i", "inventory.yaml", "main.yaml"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("ANSIBLE_REMOTE_TEMP", folder.path().join("tasks"))
        .env("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "1")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("Ansible runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    let read = |name: &str| -> Value {
        let text =
            fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}\n{said}"));
        serde_json::from_str(&text).expect("JSON")
    };
    let groups = read("groups.json");
    for group in ["my_web", "_2nd", "_all"] {
        assert_eq!(groups[group], json!(["web-1"]), "{groups:#}");
    }
    let mut hosts: Vec<&str> = groups["all"]
        .as_array()
        .expect("hosts")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    hosts.sort_unstable();
    assert_eq!(hosts, ["db_1_3_", "web-1"]);
    let (web, db) = (read("web-1.json"), read("db_1_3_.json"));
    assert_eq!(
        (&web["ansible_host"], &web["notes"], &web["region"], &web["plan"]),
        (&json!("192.0.2.1"), &json!(NOTE), &json!("no"), &json!("1e3"))
    );
    assert_eq!(
        (&db["hostname"], &db["notes"]),
        (&json!("db[1:3]"), &json!("plain: on"))
    );
    assert!(!folder.path().join("pwned").exists());
}
