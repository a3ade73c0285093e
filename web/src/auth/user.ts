/** The account of whoever is signed in, and the words for what accounts are. */
import type { components } from '../api/schema';

export type User = components['schemas']['User'];

/** A person's name for people. */
export function nameOf({ display_name, username }: { display_name?: string | null; username: string }): string {
  return display_name || username;
}

export type Role = components['schemas']['Role'];

/** `''`: nobody said. */
export type MachineRole = 'allow_sudo' | 'non_sudo' | '';

export const ROLES: Record<Role, string> = { super_admin: 'Super admin', company_admin: 'Admin', user: 'Member' };

export const MACHINE_ROLES: Record<MachineRole, string> = { '': 'Not set', allow_sudo: 'May use sudo', non_sudo: 'No sudo' };
