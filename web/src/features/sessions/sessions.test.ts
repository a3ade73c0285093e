import { describe, expect, it } from 'vitest';
import {
  describeEnd,
  describeOrigin,
  describePlace,
  describeViewers,
  describeWork,
  type TerminalSession,
  withLive,
} from './sessions';

describe('where a session was opened', () => {
  it.each([
    ['ui', 'Chrome', 'Linux', 'Chrome on Linux'],
    ['ui', 'Firefox', 'Unknown', 'Firefox'],
    ['ui', 'Unknown', 'Unknown', 'Browser'],
    ['cli', 'Unknown', 'Linux', 'Command line'],
    ['vscode', '', '', 'Editor'],
    ['api', '', '', 'API'],
    ['robot', '', '', 'robot'],
  ])('%s with %s on %s is “%s”', (source, browser, os, words) => {
    expect(describeOrigin({ source, browser, os })).toBe(words);
  });
});

describe('what a session does', () => {
  it('is said in words', () => {
    expect(describeWork({ command: 'make test', cwd: '/home/ada' })).toBe('make test in /home/ada');
    expect(describeWork({ command: null, cwd: '/home/ada' })).toBe('in /home/ada');
    expect(describeWork({ command: 'top', cwd: '' })).toBe('top');
    expect(describeWork({ command: null, cwd: '' })).toBe('');
  });

  it('names each who looks at it once, and who only watches', () => {
    const viewer = (username: string, can_type: boolean) => ({ username, can_type });
    expect(describeViewers({ viewers: [] })).toBe('nobody is here');
    const viewers = [viewer('ada', true), viewer('ada', true), viewer('bob', false)];
    expect(describeViewers({ viewers })).toBe('ada, bob (watches)');
  });

  it('is found by machine and name', () => {
    const session = (agent_id: string, session_id: string) => ({ agent_id, session_id }) as TerminalSession;
    const live = {
      agent_id: 'a',
      session_id: 's',
      title: 't',
      command: null,
      cwd: '',
      cols: 80,
      rows: 24,
      viewers: [],
      last_activity: null,
    };
    const [first, second] = withLive([session('a', 's'), session('b', 's')], [live]);
    expect([first?.live?.title, second?.live]).toEqual(['t', undefined]);
  });
});

it('a session is on a machine, or on a host that one leads to', () => {
  expect(describePlace({ machine_name: 'web-1' })).toBe('web-1');
  const host = { machine_name: 'runner', target: 'db.example' };
  expect(describePlace({ ...host, target_user: null })).toBe('db.example, through runner');
  expect(describePlace({ ...host, target_user: 'ops' })).toBe('ops@db.example, through runner');
});

describe('why a session is over', () => {
  it.each([
    ['terminated', 'ended by somebody'],
    ['some_new_reason', 'some new reason'],
    [null, ''],
  ])('%s is “%s”', (close_reason, words) => {
    expect(describeEnd({ close_reason })).toBe(words);
  });
});
