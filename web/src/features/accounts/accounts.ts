/** An account's password, invitation and mail address, and the first account of a server. */
import { answer, client } from '../../api/client';
import { ApiError } from '../../api/error';
import type { StepAnswer } from '../../auth/flow';
import { eventually } from '../../retry';

/** Whether this server has no account at all, once it can say; no if it never does. */
export async function isSetupRequired(): Promise<boolean> {
  const status = await eventually(() => answer(client.GET('/api/auth/setup-required'))).catch(() => null);
  return status?.setup_required === true;
}

export function setUp(username: string, email: string, password: string): Promise<StepAnswer> {
  return answer(client.POST('/api/auth/setup', { body: { username, password, ...(email === '' ? {} : { email }) } }));
}

/** What a link of a mail does, or in words why it does nothing. */
async function followed<T>(call: Promise<T>): Promise<T> {
  return call.catch((cause: unknown) => {
    const dead = cause instanceof ApiError && cause.status === 400 && Object.keys(cause.fields).length === 0;
    throw dead
      ? new ApiError('This link does not work any more: it was used already, is too old, or is not complete.', 400)
      : cause;
  });
}

/** Asks for a link by mail. The answer never says whether there is such an account. */
export async function forgotPassword(email: string): Promise<void> {
  await answer(client.POST('/api/auth/forgot-password', { body: { email } }));
}

export async function resetPassword(token: string, password: string): Promise<void> {
  await followed(
    answer(client.POST('/api/auth/password-reset/{token}', { params: { path: { token } }, body: { password } })),
  );
}

export function acceptInvite(token: string, password: string, displayName: string): Promise<StepAnswer> {
  const body = { password, ...(displayName === '' ? {} : { display_name: displayName }) };
  return followed(answer(client.POST('/api/auth/invite/{token}', { params: { path: { token } }, body })));
}

export async function verifyEmail(token: string): Promise<void> {
  // Works once: a try whose answer was lost may have been the one.
  const call = (): Promise<unknown> =>
    answer(client.POST('/api/auth/verify-email/{token}', { params: { path: { token } } }));
  await followed(eventually(call));
}

/** Mails the proof of the address once more. */
export async function sendVerification(): Promise<void> {
  await answer(client.POST('/api/auth/verify-email'));
}
