/** What is wrong with a machine that is there, and what to do about it. */
import { dateTime, duration } from '../../format';
import type { Machine } from './machines';

export interface Warning {
  title: string;
  text: string;
  /** What to run on the machine. */
  command?: string;
}

/** A clock that is off by less is no reason to say so, in seconds: tokens and logs bear it. */
const CLOCK_OFF = 30;

export function warningsOf(machine: Machine, origin: string): Warning[] {
  const { duplicate, metadata } = machine;
  const warnings: Warning[] = [];
  if (duplicate) {
    warnings.push({
      title: 'Another computer says that it is this machine',
      text: `One at ${duplicate.ip_address} was refused, last at ${dateTime(duplicate.at)}. It is probably a copy of this one: make it a machine of its own there, with the token of a new machine.`,
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
  return warnings;
}

/** Facts that are said as warnings. */
export const WARNED: ReadonlySet<string> = new Set(['clock_offset_seconds']);
