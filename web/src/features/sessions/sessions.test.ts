import { describe, expect, it } from 'vitest';
import { describeOrigin } from './sessions';

describe('where a session was opened', () => {
  it.each([
    ['ui', 'Chrome', 'Linux', 'Chrome on Linux'],
    ['ui', 'Firefox', 'Unknown', 'Firefox'],
    ['ui', 'Unknown', 'Unknown', 'Browser'],
    ['cli', 'Unknown', 'Linux', 'Command line'],
    ['vscode', '', '', 'Editor'],
    ['robot', '', '', 'robot'],
  ])('%s with %s on %s is “%s”', (source, browser, os, words) => {
    expect(describeOrigin({ source, browser, os })).toBe(words);
  });
});
