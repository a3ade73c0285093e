/** The command log. */
import type { Administration } from './administration';
import type { Body, Routes } from './answers';

/** As much of a search as the console relies on: text, machine, person, result, and the two keys. */
function page(rows: Body[], query: URLSearchParams): Body {
  const keep = ({ command, machine_id, user_id, exit_code, key }: Body): boolean =>
    String(command)
      .toLowerCase()
      .includes((query.get('q') ?? '').toLowerCase()) &&
    [machine_id, null].includes(query.get('machine_id')) &&
    [user_id, null].includes(query.get('user_id')) &&
    [String(exit_code), null].includes(query.get('exit_code')) &&
    [exit_code === null ? 'unknown' : String(exit_code === 0), null].includes(query.get('success')) &&
    Number(key) < Number(query.get('before') ?? Number.MAX_SAFE_INTEGER) &&
    Number(key) > Number(query.get('after') ?? 0);
  const found = rows.filter(keep).reverse();
  const limit = Number(query.get('limit') ?? 25);
  const logs = found.slice(0, limit);
  return {
    logs,
    total: found.length,
    page: 1,
    limit,
    total_pages: Math.ceil(found.length / limit),
    complete: true,
    next: logs.length === limit ? logs.at(-1)?.key : null,
    newest: Math.max(Number(query.get('after') ?? 0), ...rows.map(({ key }) => Number(key))),
  };
}

export function commandLogs(state: Administration): Routes {
  return {
    'GET /api/command-logs': ({ query }) => [200, page(state.logged, query)],
    'GET /api/command-logs/*': ({ at: [key] }) => {
      const log = state.logged.find((command) => String(command.key) === key);
      return log ? [200, { log }] : [404, { error: 'Command not found' }];
    },
    'GET /api/machines/*/logs/search': ({ at: [agentId], query }) => [
      200,
      page(
        state.logged.filter(({ agent_id }) => agent_id === agentId),
        query,
      ),
    ],
  };
}
