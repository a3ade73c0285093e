import { describe, expect, it } from 'vitest';
import type { SocketState } from './socket';
import { describeStatus, type Facts, statusOf } from './status';

const FACTS: Facts = { attached: true, canType: true, late: false, online: true, exit: null, farewell: null, failure: null };

function words(socket: SocketState, facts: Partial<Facts> = {}): string {
  return describeStatus(statusOf(socket, { ...FACTS, ...facts }), 1000);
}

describe('the connection in words', () => {
  it.each<[SocketState, Partial<Facts>, string]>([
    [{ name: 'connecting' }, {}, 'Connecting…'],
    [{ name: 'open' }, { attached: false }, 'Connecting…'],
    [{ name: 'open' }, {}, 'Connected'],
    [{ name: 'open' }, { late: true }, 'Waiting for the machine…'],
    [{ name: 'open' }, { canType: false }, 'Connected, watching only'],
    [{ name: 'open' }, { online: false }, 'Machine offline – waiting for it to come back'],
    [{ name: 'waiting', retryAt: 4200, retry: 'soon' }, {}, 'Connection lost – reconnecting in 4 s'],
    [{ name: 'waiting', retryAt: 0, retry: 'soon' }, {}, 'Connection lost – reconnecting in 1 s'],
    [{ name: 'waiting', retryAt: 9000, retry: 'slowly' }, {}, 'Machine offline – looking again in 8 s'],
    [
      { name: 'waiting', retryAt: 4200, retry: 'soon' },
      { failure: 'no such account' },
      'No such account – trying again in 4 s',
    ],
    [{ name: 'open' }, { exit: { code: 0, signal: null } }, 'Shell ended – exit code 0'],
    [{ name: 'closed', code: 1000, reason: '' }, { exit: { code: null, signal: 'SIGKILL' } }, 'Shell ended by SIGKILL'],
    [{ name: 'closed', code: 1000, reason: '' }, { farewell: 'This session has ended' }, 'This session has ended.'],
    [{ name: 'closed', code: 4009, reason: '' }, {}, 'This terminal was opened in another window.'],
    [{ name: 'closed', code: 4000, reason: 'Idle timeout' }, {}, 'The session was ended because nobody typed for too long.'],
    [
      { name: 'closed', code: 4000, reason: '' },
      { exit: { code: null, signal: 'SIGHUP', reason: 'idle_timeout' } },
      'Ended, as nobody typed for too long',
    ],
    [{ name: 'closed', code: 4029, reason: '' }, { farewell: 'You have 2 terminals' }, 'You have 2 terminals.'],
    [
      { name: 'closed', code: 1008, reason: 'Access revoked' },
      { farewell: 'Access revoked' },
      'Your access to this machine was withdrawn, or you signed out.',
    ],
    [{ name: 'closed', code: 1008, reason: 'Shell refused' }, { farewell: 'no such account' }, 'no such account.'],
    [{ name: 'closed', code: 1008, reason: 'Shell refused' }, {}, 'The machine gave no shell.'],
    [{ name: 'closed', code: null, reason: 'This machine was deleted.' }, {}, 'This machine was deleted.'],
  ])('%j with %j is “%s”', (socket, facts, expected) => expect(words(socket, facts)).toBe(expected));
});
