/** What is wrong with a machine that is there, and what to do about it. */
import { dateTime, duration } from '../../format';
import type { Machine } from './machines';

export interface Warning {
  title: string;
  text: string;
  /** What to run on the machine. */
  command?: string;
}

/** Another computer that dialled in as this machine. */
interface Duplicate {
  hostname: string;
  ip_address: string;
  at: string;
}

/** A clock that is off by less is no reason to say so, in seconds: tokens and logs bear it. */
const CLOCK_OFF = 30;

export function warningsOf(machine: Machine & { duplicate?: Duplicate | null }, origin: string): Warning[] {
  const { duplicate, metadata } = machine;
  const warnings: Warning[] = [];
  if (duplicate) {
    const who = [duplicate.hostname, duplicate.ip_address].filter((fact) => fact !== '').join(', ');
    warnings.push({
      title: 'Another computer says that it is this machine',
      text: `${who || 'It'} was refused, last at ${dateTime(duplicate.at)}. It is probably a copy of this one: make it a machine of its own there, with the token of a new machine.`,
      command: `sudo vsay-agent configure --new-identity --host ${origin} --token <token>`,
    });
  }
  const offset = Number(metadata.clock_offset_seconds ?? 0);
  if (Math.abs(offset) >= CLOCK_OFF) {
    warnings.push({
      title: 'Its clock is wrong',
      text: `It is ${duration(Math.abs(Math.round(offset)))} ${offset > 0 ? 'ahead' : 'behind'}. The times in its logs are, too; a time service sets it right.`,
      command: 'sudo timedatectl set-ntp true',
    });
  }
  if (metadata.disk_full !== undefined && metadata.disk_full !== 'false') {
    warnings.push({
      title: 'Its disk is full',
      text: 'What programs write cannot be kept, so they wait. Nothing is lost; they go on once there is room.',
    });
  }
  return warnings;
}

/** Facts that are said as warnings. */
export const WARNED: ReadonlySet<string> = new Set(['clock_offset_seconds', 'disk_full']);
