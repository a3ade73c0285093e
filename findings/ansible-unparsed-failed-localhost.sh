#!/usr/bin/env bash
# EXPECTED: ANSIBLE_INVENTORY_UNPARSED_FAILED=1 makes a run fail whose inventory cannot be parsed. A playbook of `localhost` alone needs none:
#   Ansible has an implicit localhost, and nobody has named an inventory that could fail.
# SEEN: with ansible-core 2.19.14 and no inventory at all such a playbook ends with exit code 1 and "No inventory was parsed", before any task.
#   Without the setting the same playbook runs. What the setting guards against, `hosts: all` of an inventory that is missing, is exit code 0
#   with "no hosts matched" without it.
# HERE: agent/src/jobs/environment.rs sets it for scripts, and unsets it for playbooks of the inventory's actions, which have no inventory.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check ansible-core==2.19.14
cat >local.yaml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.debug: { msg: it ran }
YAML
sed 's/localhost/all/' local.yaml >all.yaml

# run <0 or 1> <playbook>: its exit code and what it said.
run() {
  local said code=0
  said=$(env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 ANSIBLE_INVENTORY_UNPARSED_FAILED="$1" \
    venv/bin/ansible-playbook "$2" 2>&1) || code=$?
  printf 'exit %s\n%s\n' "$code" "$said"
}

echo "ansible-core $(venv/bin/python -c 'import importlib.metadata as m; print(m.version("ansible-core"))')"
strict=$(run 1 local.yaml)
plain=$(run 0 local.yaml)
nobody=$(run 0 all.yaml)
printf -- '--- localhost, set:\n%s\n--- localhost, not set:\n%s\n--- all, not set:\n%s\n' "$strict" "$plain" "$nobody"
[[ $strict == "exit 1"*"No inventory was parsed"* && $strict != *"it ran"* ]] || { echo "changed: localhost runs with the setting"; exit 1; }
[[ $plain == "exit 0"*"it ran"* ]] || { echo "changed: localhost does not run without it"; exit 1; }
[[ $nobody == "exit 0"*"no hosts matched"* ]] || { echo "changed: no hosts are a failure"; exit 1; }
