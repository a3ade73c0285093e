/** What is wrong with a new password before the server is asked. */

/** Shortest password that the server takes, in characters. */
const SHORTEST = 8;

/** What is wrong, by field; nothing if it may be sent. */
export function passwordProblems(password: string, again: string): Record<string, string> | null {
  if ([...password].length < SHORTEST) return { new_password: `Must have at least ${SHORTEST} characters.` };
  if (password !== again) return { again: 'The two are not the same.' };
  return null;
}
