/** The second factor of whoever is signed in. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type FactorStatus = components['schemas']['SecondFactorStatus'];

export type Enrolment = components['schemas']['Enrolment'];

/** Proof of who is there: a password, or a code of the authenticator. */
export type Proof = { password: string } | { code: string };

export function findStatus(signal: AbortSignal): Promise<FactorStatus> {
  return answer(client.GET('/api/auth/mfa/status', { signal }));
}

export function enrol(): Promise<Enrolment> {
  return answer(client.POST('/api/auth/mfa/enroll'));
}

/** Turns the second factor on; gives the recovery codes, which are never shown again. */
export async function confirm(code: string): Promise<string[]> {
  return (await answer(client.POST('/api/auth/mfa/confirm', { body: { code } }))).backup_codes;
}

export async function disable(proof: Proof): Promise<void> {
  await answer(client.POST('/api/auth/mfa/disable', { body: proof }));
}

/** New recovery codes. The earlier ones are void. */
export async function renewCodes(proof: Proof): Promise<string[]> {
  return (await answer(client.POST('/api/auth/mfa/backup-codes/regenerate', { body: proof }))).backup_codes;
}

/** A six-digit code or a password, whichever was typed. */
export function proofOf(text: string): Proof {
  const code = text.replaceAll(/\s/g, '');
  return /^\d{6}$/.test(code) ? { code } : { password: text };
}

/** A secret in groups of four, as people type it. */
export function inGroups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(' ') ?? secret;
}
