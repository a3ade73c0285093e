import { describe, expect, it } from 'vitest';
import { taskAfter } from './task';

const heading = (text: string): string => `${text} ${'*'.repeat(40)}`;

describe('the task that Ansible is at', () => {
  it('is the one of the last heading, whatever its hosts have said since', () => {
    const lines = [
      heading('PLAY [all]'),
      '',
      heading('TASK [Gathering Facts]'),
      'ok: [web-1]',
      heading('TASK [app : install]'),
      'changed: [web-1]',
    ];
    expect(taskAfter(null, lines, 1000, false)).toEqual({ name: 'app : install', seenAt: 1000, earlier: false });
  });

  it('goes on while nothing new is said, and had begun before where it was there at the first look', () => {
    const task = taskAfter(null, [heading('TASK [wait]')], 1000, true);
    expect(task).toEqual({ name: 'wait', seenAt: 1000, earlier: true });
    expect(taskAfter(task, ['ok: [web-1]'], 9000, false)).toBe(task);
  });

  it('may be a handler, have colours, and none after the recap or the next play', () => {
    const handler = taskAfter(null, [`\x1b[0;35m${heading('RUNNING HANDLER [restart]')}\x1b[0m`], 5, false);
    expect(handler?.name).toBe('restart');
    for (const over of ['PLAY RECAP', 'PLAY [next]', 'NO MORE HOSTS LEFT']) {
      expect(taskAfter(handler, [heading(over)], 6, false)).toBeNull();
    }
  });

  it('is none of what a script prints about tasks', () => {
    expect(taskAfter(null, ['TASK [x] is next', 'see TASK [x] **', '"TASK [x] ****"'], 1, false)).toBeNull();
  });
});
