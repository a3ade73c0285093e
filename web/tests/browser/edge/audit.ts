/** The audit log. */
import type { Administration } from './administration';
import { paged, type Routes } from './answers';

export function audit(state: Administration): Routes {
  return {
    'GET /api/audit': ({ query }) => {
      const action = query.get('action');
      return [
        200,
        paged(
          'logs',
          state.entries.filter((entry) => action === null || entry.action === action),
          query,
        ),
      ];
    },
    'GET /api/audit/tenants': () => [
      200,
      { tenants: state.tenants.map(({ tenant_id, tenant_name }) => ({ tenant_id, tenant_name })) },
    ],
    'GET /api/audit/verify': () => [200, state.chain],
    'GET /api/audit/export': ({ query }) => [200, { format: query.get('format'), action: query.get('action') }],
  };
}
