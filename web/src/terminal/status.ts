/** What a terminal's connection is doing, and how to say it. */
import { describeClose, SHELL_REFUSED } from './close';
import type { Exit } from './messages';
import type { SocketState } from './socket';

export type Status =
  | { name: 'connecting' }
  /** `late`: keys were sent that nobody has confirmed. */
  | { name: 'connected'; canType: boolean; late: boolean }
  /** We are connected, the machine is not. */
  | { name: 'offline' }
  /** Between two attempts, because the link broke or because the machine stayed away. */
  | { name: 'waiting'; retryAt: number; machineAway: boolean; failure: string | null }
  | { name: 'ended'; exit: Exit }
  /** Not to come back by itself. `over`: the session is gone; `elsewhere`: it is shown in another window. */
  | { name: 'closed'; reason: string; over: boolean; elsewhere: boolean };

/** What is known beside the socket's own state. */
export interface Facts {
  /** The shell is there, on this link. */
  attached: boolean;
  canType: boolean;
  /** Keys were sent that nobody has confirmed. */
  late: boolean;
  /** The machine's agent is there. */
  online: boolean;
  exit: Exit | null;
  /** What the server said before it closed. */
  farewell: string | null;
  /** Why the machine gave no shell, since it last did. */
  failure: string | null;
}

export function statusOf(socket: SocketState, facts: Facts): Status {
  if (facts.exit) return { name: 'ended', exit: facts.exit };
  switch (socket.name) {
    case 'connecting':
      return { name: 'connecting' };
    case 'waiting':
      return { name: 'waiting', retryAt: socket.retryAt, machineAway: socket.retry === 'slowly', failure: facts.failure };
    case 'open':
      if (!facts.online) return { name: 'offline' };
      return facts.attached ? { name: 'connected', canType: facts.canType, late: facts.late } : { name: 'connecting' };
    case 'closed': {
      const { code } = socket;
      const said = facts.farewell === null ? null : `${facts.farewell.replace(/\.?$/, '')}.`;
      const speaks = code === 1000 || code === 4029 || socket.reason === SHELL_REFUSED;
      const reason = code === null ? socket.reason : describeClose(code, socket.reason);
      return {
        name: 'closed',
        reason: speaks ? (said ?? reason) : reason,
        over: code === 1000 || code === 4000 || code === 4008,
        elsewhere: code === 4009,
      };
    }
  }
}

/** The status in words. `now` counts in milliseconds since the epoch. */
export function describeStatus(status: Status, now: number): string {
  switch (status.name) {
    case 'connecting':
      return 'Connecting…';
    case 'connected':
      if (status.late) return 'Waiting for the machine…';
      return status.canType ? 'Connected' : 'Connected, watching only';
    case 'offline':
      return 'Machine offline – waiting for it to come back';
    case 'waiting': {
      const seconds = Math.max(1, Math.ceil((status.retryAt - now) / 1000));
      if (status.failure !== null)
        return `${status.failure.charAt(0).toUpperCase()}${status.failure.slice(1)} – trying again in ${seconds} s`;
      return status.machineAway
        ? `Machine offline – looking again in ${seconds} s`
        : `Connection lost – reconnecting in ${seconds} s`;
    }
    case 'ended':
      return describeExit(status.exit);
    case 'closed':
      return status.reason;
  }
}

export function describeExit({ code, signal, reason }: Exit): string {
  if (reason === 'idle_timeout') return 'Ended, as nobody typed for too long';
  if (signal !== null) return `Shell ended by ${signal}`;
  return code === null ? 'Shell ended' : `Shell ended – exit code ${code}`;
}
