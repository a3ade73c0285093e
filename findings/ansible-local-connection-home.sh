#!/usr/bin/env bash
# EXPECTED: `~` in paths of Ansible is the HOME of the environment, as in a shell: with HOME set for an account that has no home of its own,
#   a playbook over `ansible_connection=local` keeps all its temporary files there.
# SEEN: with ansible-core 2.19.14 the controller's files are under HOME, but those of tasks are under the home that the account database
#   says: the local connection expands the `~/.ansible/tmp` of `remote_tmp` by that. For an account whose home is missing each task ends
#   as UNREACHABLE, whose words are of authentication.
# HERE: tests/e2e/ansible/ sets ANSIBLE_REMOTE_TEMP; docs/services.md says so to whoever deploys by an account without a home.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check ansible-core==2.19.14
mkdir home
home=$(venv/bin/python -c 'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_dir)')

# `PUT FILE TO FILE`: from the controller's to the task's, which is kept to be told of.
said=$(HOME=$work/home ANSIBLE_KEEP_REMOTE_FILES=1 venv/bin/ansible -vvv -i localhost, -c local \
  -e "ansible_python_interpreter=$work/venv/bin/python" -m ansible.builtin.ping localhost 2>&1)
read -r controller task < <(sed -n 's/.* PUT \([^ ]*\) TO \([^ ]*\)$/\1 \2/p' <<<"$said")
rm -rf "$(dirname "$task")"
echo "ansible-core $(venv/bin/python -c 'import importlib.metadata as m; print(m.version("ansible-core"))')"
echo "HOME ${work}/home, the account's home $home"
echo "the controller's file $controller"
echo "the task's file $task"
[[ $controller == "$work"/home/* ]] || { echo "changed: the controller's files are not under HOME"; exit 1; }
[[ $task == "$home"/* ]] || { echo "changed: the task's files are not under the account's home"; exit 1; }
