import { describe, expect, it } from 'vitest';
import { errorFrom } from './error';

describe('a failed request', () => {
  it('says what is wrong with each field', () => {
    const error = errorFrom(400, {
      error: 'name must not be empty',
      fields: [{ field: 'name', message: 'must not be empty' }],
    });
    expect(error.message).toBe('Name must not be empty.');
    expect(error.fields).toEqual({ name: 'Must not be empty.' });
  });

  it('keeps what it says to programs', () => {
    expect(errorFrom(403, { error: 'no', code: 'password_change_required' }).code).toBe('password_change_required');
    expect(errorFrom(403, { error: 'no', code: 7 }).code).toBe('');
  });

  it.each([null, 'text', [], {}, { error: 5 }, { error: '', fields: 'no' }, { fields: [null, 3] }])(
    'is put in words even when the body is %j',
    (body) => {
      expect(errorFrom(418, body).message).toBe('The server refused this (418).');
      expect(errorFrom(502, body).message).toBe('Something went wrong on the server.');
      expect(errorFrom(502, body).fields).toEqual({});
    },
  );
});
