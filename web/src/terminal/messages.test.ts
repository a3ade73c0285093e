import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type FromViewer, PING } from './messages';

/** The samples that the Rust tests read too. */
function fixtures(folder: string): [string, string][] {
  const url = new URL(`../../../protocol/fixtures/${folder}/`, import.meta.url);
  return readdirSync(url).map((name) => [name, readFileSync(new URL(name, url), 'utf8')]);
}

describe('a control message', () => {
  it.each(fixtures('to_viewer'))('from the relay like %s is understood', (_, json) => {
    expect(decodeMessage(json)).toEqual(JSON.parse(json));
  });

  it.each(fixtures('from_viewer'))('to the relay like %s is written the same', (_, json) => {
    const message = JSON.parse(json) as FromViewer;
    expect(JSON.parse(encodeMessage(message))).toEqual(message);
    expect(['hello', 'resize', 'ping']).toContain(message.type);
  });

  it('is a ping with exactly the text that the platform answers', () => {
    expect(encodeMessage({ type: 'ping' })).toBe(PING);
  });

  it.each([
    'no json',
    'null',
    '[]',
    '{}',
    '{"type":5}',
    '{"type":"__proto__"}',
    '{"type":"constructor"}',
    '{"type":"of_next_year"}',
    '{"type":"agent"}',
    '{"type":"agent","online":"yes"}',
    '{"type":"snapshot","offset":-1,"cols":80,"rows":24}',
    '{"type":"snapshot","offset":1e300,"cols":80,"rows":24}',
    '{"type":"resized","cols":0,"rows":24}',
    '{"type":"resized","cols":80,"rows":1001}',
    '{"type":"exit","code":"0","signal":null}',
    '{"type":"presence","people":[{"username":"ada"}]}',
    '{"type":"presence","people":{}}',
  ])('of another shape is not understood: %s', (json) => {
    expect(decodeMessage(json)).toBeNull();
  });
});
