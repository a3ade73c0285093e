/** What machines and people to choose from. Whoever may not list them chooses none. */
import { answer, client } from '../../api/client';

export interface Names {
  machines: { id: string; name: string }[];
  people: { id: string; name: string }[];
}

export async function listNames(): Promise<Names> {
  const [machines, people] = await Promise.all([
    answer(client.GET('/api/machines')).then(
      (found) => found.machines.map(({ id, name }) => ({ id, name })),
      () => [],
    ),
    answer(client.GET('/api/users')).then(
      (found) => found.users.map(({ id, username }) => ({ id, name: username })),
      () => [],
    ),
  ]);
  return { machines, people };
}
