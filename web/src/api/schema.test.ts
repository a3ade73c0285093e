import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

it('the types of the API are those of its document (else: npm run generate)', async () => {
  const document = new URL('../../public/openapi.json', import.meta.url);
  const generated = astToString(await openapiTS(document, { defaultNonNullable: false }));
  const committed = readFileSync(new URL('./schema.d.ts', import.meta.url), 'utf8');
  expect(committed.slice(committed.indexOf('export interface paths'))).toBe(generated);
});
