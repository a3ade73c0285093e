/** The own organization and its settings. */
import type { Administration } from './administration';
import { paged, type Routes } from './answers';

export function organization(state: Administration): Routes {
  return {
    'GET /api/organization': () => [200, { organization: state.settings }],
    'PUT /api/organization': ({ body }) => {
      if (body.otp !== 'off' && !state.mailWorks)
        return [400, { error: 'invalid', fields: [{ field: 'otp', message: 'needs mail, which is not configured here' }] }];
      Object.assign(state.settings, body);
      return [200, { organization: state.settings }];
    },
    'GET /api/log-management/config': () => [
      200,
      {
        retention_days: state.settings.command_log_days,
        recording_days: state.settings.recording_days,
        ...state.oldest,
        archive_enabled: false,
        archive_every_days: null,
        storage_type: null,
        last_archive_at: null,
        next_archive_at: null,
      },
    ],
    'GET /api/log-management/runs': ({ query }) => [200, paged('runs', state.runs, query)],
  };
}
