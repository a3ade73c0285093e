/** The person's own organization, and its settings. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Organization = components['schemas']['Organization'];

/** Which sign-ins by password need a code sent by mail. */
export type Otp = components['schemas']['OtpPolicy'];

export interface Settings {
  display_name: string;
  description: string;
  otp: Otp;
  otp_expiry_minutes: number;
  admins_create_machines: boolean;
  /** Accounts unused for longer are disabled; 0 is never. */
  inactive_days: number;
  record_sessions: boolean;
  /** Recordings are kept for so long, and logs; 0 is for ever. */
  recording_days: number;
  command_log_days: number;
  /** After how many minutes without a key a terminal ends; 0 is never. */
  terminal_idle_minutes: number;
  /** How many sessions may run at once; 0 is as many as like. */
  max_sessions: number;
  /** The same, of one person. */
  max_user_sessions: number;
  /** What a session may have: processes, and memory in MiB; 0 is what the machine has. */
  max_processes: number;
  max_memory_mb: number;
  /** Texts that are masked in commands. */
  command_masks: string[];
  /** From which networks people may come; empty is from all. */
  allowed_networks: string[];
  networks_for_agents: boolean;
  /** What commands may run on its machines. */
  command_policy: components['schemas']['CommandPolicy'];
}

export async function findOwnOrganization(signal: AbortSignal): Promise<Organization> {
  return (await answer(client.GET('/api/organization', { signal }))).organization;
}

export async function updateOwnOrganization(settings: Settings): Promise<void> {
  await answer(client.PUT('/api/organization', { body: settings }));
}
