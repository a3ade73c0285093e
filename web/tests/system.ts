/**
 * The accounts and files that this machine has for the shells of a test, in a folder of its own: they run as whoever runs the
 * test, but read nobody's start-up files, since what those do is no business of tests, and touch nobody's home.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';

/** Called like an ordinary shell, so that commands go to bash as on any machine. */
const SHELL = '#!/bin/sh\nexec /bin/bash --noprofile --norc -i\n';

/** Files of a home that one shell or another runs when it starts. */
const START_UP_FILES = ['.profile', '.bash_profile', '.bash_login', '.bashrc'];

export interface System {
  /** For SYSTEM_ROOT of `make dev`. */
  root: string;
  /** The home of the account that shells run as. */
  home: string;
  /** Whether a start-up file of that home was run. */
  startUpFilesRan(): boolean;
  remove(): void;
}

export function makeSystem(): System {
  const root = mkdtempSync(path.join(tmpdir(), 'vsay-system-'));
  const [etc, bin, home] = ['etc', 'bin', 'home'].map((folder) => path.join(root, folder)) as [string, string, string];
  for (const folder of [etc, bin, home]) mkdirSync(folder);
  chmodSync(root, 0o755);
  const shell = path.join(bin, 'sh');
  writeFileSync(shell, SHELL, { mode: 0o755 });
  const ran = path.join(root, 'start-up-files-ran');
  for (const file of START_UP_FILES) writeFileSync(path.join(home, file), `touch '${ran}'\n`);
  const { username, uid, gid } = userInfo();
  writeFileSync(path.join(etc, 'passwd'), `${username}:x:${uid}:${gid}::${home}:${shell}\n`);
  writeFileSync(path.join(etc, 'shells'), `${shell}\n`);
  writeFileSync(path.join(etc, 'group'), 'tty:x:5:\n');
  return {
    root,
    home,
    startUpFilesRan: () => existsSync(ran),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
