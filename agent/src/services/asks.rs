//! Whether a playbook asks whoever runs it. In a job nobody is there: Ansible takes the text `None` for a prompt's answer and goes on from a
//! pause at once, and ends as if all were well.
use serde_json::{Map, Value};

use super::yaml;

/// How deep blocks within blocks are looked into. People nest two or three.
const DEPTH: u32 = 8;

/// What lists of a play's tasks are called.
const TASKS: [&str; 4] = ["pre_tasks", "tasks", "post_tasks", "handlers"];

/// What lists of a block's tasks are called.
const BLOCK: [&str; 3] = ["block", "rescue", "always"];

/// What waits for somebody, unless it is told how long.
const PAUSE: [&str; 3] = ["pause", "ansible.builtin.pause", "ansible.legacy.pause"];

/// What tells it.
const HOW_LONG: [&str; 2] = ["seconds", "minutes"];

/// Whether a playbook of this text asks by itself. What it includes or imports is not looked at, and what is no playbook asks nothing.
pub fn asks(text: &str) -> bool {
    // Reading YAML costs more than looking for two words that most have not.
    if !text.contains("vars_prompt") && !text.contains("pause") {
        return false;
    }
    match yaml::read(text) {
        Ok(Some(Value::Array(plays))) => plays.iter().filter_map(Value::as_object).any(play_asks),
        _ => false,
    }
}

fn play_asks(play: &Map<String, Value>) -> bool {
    let prompts = play.get("vars_prompt").and_then(Value::as_array);
    prompts.is_some_and(|prompts| !prompts.is_empty()) || any_asks(play, &TASKS, DEPTH)
}

/// Whether one of the tasks in these lists does.
fn any_asks(of: &Map<String, Value>, lists: &[&str], depth: u32) -> bool {
    let tasks = lists.iter().filter_map(|list| of.get(*list)?.as_array()).flatten();
    tasks.filter_map(Value::as_object).any(|task| task_asks(task, depth))
}

fn task_asks(task: &Map<String, Value>, depth: u32) -> bool {
    let waits = |pause: &Value| match pause {
        Value::Object(arguments) => !HOW_LONG.iter().any(|name| arguments.contains_key(*name)),
        Value::String(words) => !HOW_LONG.iter().any(|name| words.contains(name)),
        _ => true,
    };
    PAUSE.iter().filter_map(|name| task.get(*name)).any(waits) || depth > 0 && any_asks(task, &BLOCK, depth - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_and_a_pause_without_end_ask() {
        for text in [
            "- hosts: all\n  vars_prompt:\n    - name: x\n",
            "- hosts: a\n- hosts: b\n  tasks:\n    - pause:\n",
            "- hosts: a\n  tasks:\n    - ansible.builtin.pause:\n        prompt: Sure?\n",
            "- hosts: a\n  handlers:\n    - ansible.legacy.pause: prompt=Sure\n",
            "- hosts: a\n  pre_tasks:\n    - block:\n        - rescue:\n            - pause: {}\n",
            "- hosts: a\n  vars:\n    key: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162\n  tasks:\n    - pause:\n",
        ] {
            assert!(asks(text), "{text}");
        }
    }

    #[test]
    fn what_waits_for_a_time_or_only_has_the_words_asks_nobody() {
        for text in [
            "",
            "pause",
            "- pause\n",
            "pause: 1\n",
            "- hosts: a\n  tasks:\n    - pause: {seconds: 5}\n    - pause: minutes=1\n",
            "- hosts: a\n  vars_prompt: []\n",
            "- hosts: a\n  tasks:\n    - name: vars_prompt and pause\n      command: pause\n",
            "- hosts: a\n  tasks:\n    - docker_container: {paused: true}\n",
            "- hosts: a\n  tasks: [pause\n",
        ] {
            assert!(!asks(text), "{text}");
        }
    }

    #[test]
    fn blocks_are_looked_into_to_a_depth() {
        let nested = |depth: usize| {
            format!(
                "- {{tasks: [{}{{pause: }}{}]}}",
                "{block: [".repeat(depth),
                "]}".repeat(depth)
            )
        };
        assert!(asks(&nested(DEPTH as usize)));
        assert!(!asks(&nested(DEPTH as usize + 1)));
    }
}
