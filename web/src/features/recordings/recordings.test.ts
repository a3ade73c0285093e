import { describe, expect, it } from 'vitest';
import { describeState, fileOf, momentOf, playbackOf, playingTime } from './recordings';

describe('a recording', () => {
  it.each([
    [0, '0:00'],
    [59.6, '1:00'],
    [247, '4:07'],
    [3729, '1:02:09'],
  ])('of %s seconds plays for %s', (seconds, text) => expect(playingTime(seconds)).toBe(text));

  it('says what it lacks', () => {
    expect(describeState({ state: 'complete' })).toBeNull();
    expect(describeState({ state: 'truncated' })).toContain('too long');
  });

  it.each([
    ['?t=90', 90],
    ['?t=1.5', 1.5],
    ['?t=', undefined],
    ['?t=-3', undefined],
    ['?t=x', undefined],
    ['', undefined],
  ])('begins at the moment that the address names: %s', (query, moment) => expect(momentOf(query)).toBe(moment));

  it('is fetched as the console fetches', () => {
    expect(fileOf('a/b')).toBe('/api/recordings/a%2Fb/download');
    const { url, fetchOpts } = playbackOf('a/b');
    expect(url).toBe('/api/recordings/a%2Fb/segments?format=player');
    expect(Object.keys(fetchOpts.headers ?? {})).toHaveLength(1);
  });
});
