/** What the steps of a sign-in say. */
import type { Step } from '../../auth/flow';

export const TITLES: Record<Step['kind'], string> = {
  password: 'Sign in',
  tenant: 'Choose an organization',
  code: 'Check your mail',
  factor: 'Second factor',
  done: 'Signed in',
};

/** How often a mailed code may be mistyped; the server counts too. */
export const CODE_TRIES = 3;

export function triesLeft(wrong: number): string {
  const left = CODE_TRIES - wrong;
  if (left <= 0) return 'It cannot be tried again.';
  return left === 1 ? 'You can try once more.' : `You can try ${left} more times.`;
}
