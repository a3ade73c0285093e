import { describe, expect, it } from 'vitest';
import { describeRunner, linkOf, outputsOf } from './services';

it('outputs are read as far as they make sense', () => {
  const raw = [
    { name: 'url', type: 'url', value: 'https://example.org' },
    { label: 'Port', value: 80 },
    { value: 'x' },
    null,
  ];
  expect(outputsOf(raw)).toEqual([
    { type: 'url', label: 'url', value: 'https://example.org', username: '' },
    { type: '', label: 'Port', value: '80', username: '' },
  ]);
});

describe('a runner', () => {
  const told_at = '2026-02-06T12:00:00Z';
  const now = Date.parse('2026-02-06T12:05:00Z');
  it.each([
    [true, 'Online'],
    [false, 'Offline, as it was 5 minutes ago'],
  ])('that is online: %s, says how old its words are', (online, words) =>
    expect(describeRunner({ online, told_at }, now)).toBe(words),
  );
});

it.each([
  ['https://example.org/a', 'https://example.org/a'],
  ['HTTP://example.org', 'HTTP://example.org'],
  ['javascript:alert(1)', null],
  ['https://', null],
  ['example.org', null],
  ['', null],
])('%s leads to %s', (value, link) => expect(linkOf(value)).toBe(link));
