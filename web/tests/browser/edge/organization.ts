/** The own organization and its settings. */
import type { Administration } from './administration';
import type { Routes } from './answers';

export function organization(state: Administration): Routes {
  return {
    'GET /api/organization': () => [200, { organization: state.settings }],
    'PUT /api/organization': ({ body }) => {
      if (body.otp !== 'off' && !state.mailWorks)
        return [400, { error: 'invalid', fields: [{ field: 'otp', message: 'needs mail, which is not configured here' }] }];
      Object.assign(state.settings, body);
      return [200, { organization: state.settings }];
    },
  };
}
