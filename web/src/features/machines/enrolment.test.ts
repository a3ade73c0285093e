import { describe, expect, it } from 'vitest';
import { hintFor, stageOf, stepsOf } from './enrolment';

describe('a machine on its way', () => {
  const WAITING = { status: 'pending', is_connected: false, hostname: '' } as const;
  const ENROLLED = { status: 'offline', is_connected: false, hostname: 'ip-10-0-0-7' } as const;
  const ONLINE = { status: 'online', is_connected: true, hostname: 'ip-10-0-0-7' } as const;

  it('is waited for, has enrolled, is online', () => {
    expect([WAITING, ENROLLED, ONLINE].map(stageOf)).toEqual(['waiting', 'enrolled', 'online']);
  });

  it('shows what is done, what is current and what is to come', () => {
    expect(stepsOf(WAITING)).toEqual([
      { words: 'Waiting for the agent', state: 'current' },
      { words: 'Waiting for it to connect', state: 'to come' },
    ]);
    expect(stepsOf(ENROLLED)).toEqual([
      { words: 'Enrolled by ip-10-0-0-7', state: 'done' },
      { words: 'Waiting for it to connect', state: 'current' },
    ]);
    expect(stepsOf(ONLINE)).toEqual([
      { words: 'Enrolled by ip-10-0-0-7', state: 'done' },
      { words: 'Online', state: 'done' },
    ]);
  });

  it('is helped by what fits its stage', () => {
    expect(hintFor('waiting', 'https://edge.example').command).toBe('curl -I https://edge.example/health');
    expect(hintFor('enrolled', 'https://edge.example').command).toBe('journalctl -u vsay-agent');
  });
});
