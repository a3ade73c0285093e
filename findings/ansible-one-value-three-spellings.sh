#!/usr/bin/env bash
# EXPECTED: what Ansible's default output shows of values is JSON, so whoever looks for a text in it, to mask or to mark it, looks for the text
#   and for how JSON writes it.
# SEEN: with ansible-core 2.19.14 one run spells a text with both kinds of quotes in three ways: the result of `debug` has it as JSON; the item
#   of a loop as Python's repr; and the `cmd` of a shell task that has failed as JSON of what the `quote` filter has
#   made of it. The last two contain neither the text nor its JSON.
# HERE: agent/src/jobs/mask.rs masks secrets in all of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check ansible-core==2.19.14
cat >play.yaml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  vars: { text: "it's a \"word\"" }
  tasks:
    - ansible.builtin.debug: { var: text }
    - ansible.builtin.set_fact: { kept: "{{ item.of }}" }
      loop: [{ of: "{{ text }}" }]
    - ansible.builtin.shell: "echo {{ text | quote }}; exit 3"
      ignore_errors: true
YAML
said=$(env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 venv/bin/ansible-playbook play.yaml 2>&1) || true

echo "ansible-core $(venv/bin/python -c 'import importlib.metadata as m; print(m.version("ansible-core"))')"
# has <name> <how it is spelled>
has() {
  printf -- '--- %s: %s\n' "$1" "$2"
  grep -F -- "$2" <<<"$said" || { echo "changed: it is not there"; exit 1; }
}
has 'result of debug, JSON' '"text": "it'"'"'s a \"word\""'
has 'item of a loop, repr of Python' "(item={'of': 'it\\'s a \"word\"'})"
has 'command of a shell task, JSON of a quoted text' 'echo '"'"'it'"'"'\"'"'"'\"'"'"'s a \"word\"'"'"
