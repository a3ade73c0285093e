import { expect, it } from 'vitest';
import { given } from './query';

it('a query has only what says something', () => {
  expect(given({ search: 'x', page: 0, tenant_id: '', after: undefined })).toEqual({ search: 'x', page: 0 });
});
