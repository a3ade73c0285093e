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
  /** Recordings are kept for so long; 0 is for ever. */
  recording_days: number;
  command_log_days: number;
  /** Texts that are masked in commands. */
  command_masks: string[];
}

export async function findOwnOrganization(signal: AbortSignal): Promise<Organization> {
  return (await answer(client.GET('/api/organization', { signal }))).organization;
}

export async function updateOwnOrganization(settings: Settings): Promise<void> {
  await answer(client.PUT('/api/organization', { body: settings }));
}
