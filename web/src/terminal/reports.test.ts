import type { IFunctionIdentifier, IParser } from '@xterm/xterm';
import { describe, expect, it } from 'vitest';
import { isFocusReport, leaveUnanswered } from './reports';

/** Which handlers took what: the parser's ways in, without a terminal, which needs a browser. */
function handlers() {
  const csi = new Map<string, (params: (number | number[])[]) => boolean | Promise<boolean>>();
  const osc = new Map<number, (data: string) => boolean | Promise<boolean>>();
  const dcs = new Set<string>();
  const nothing = { dispose: () => {} };
  const key = ({ prefix = '', intermediates = '', final }: IFunctionIdentifier): string => prefix + intermediates + final;
  const parser: IParser = {
    registerCsiHandler: (id, run) => {
      csi.set(key(id), run);
      return nothing;
    },
    registerOscHandler: (id, run) => {
      osc.set(id, run);
      return nothing;
    },
    registerDcsHandler: (id) => {
      dcs.add(key(id));
      return nothing;
    },
    registerEscHandler: () => nothing,
    registerApcHandler: () => nothing,
  } as IParser;
  leaveUnanswered(parser);
  return { csi, osc, dcs };
}

describe('what a program asks its terminal', () => {
  it.each(['c', '>c', 'n', '?n', '$p', '?$p'])('is not answered here: CSI %s', (question) => {
    expect(handlers().csi.get(question)?.([0])).toBe(true);
  });

  it.each([14, 16, 18])('is not answered here: the size of the window, %d', (operation) => {
    expect(handlers().csi.get('t')?.([operation])).toBe(true);
  });

  it.each([4, 10, 11, 12])('is not answered here: colours, OSC %d', (code) => {
    expect(handlers().osc.get(code)?.('1;?')).toBe(true);
  });

  it('is not answered here: settings', () => expect(handlers().dcs.has('$q')).toBe(true));

  it('is told from what it sets', () => {
    const { csi, osc } = handlers();
    expect(csi.get('t')?.([22, 2])).toBe(false);
    expect(osc.get(11)?.('#102030')).toBe(false);
    expect(osc.get(4)?.('1;rgb:11/22/33')).toBe(false);
  });
});

describe('a report of the focus', () => {
  it.each(['\x1b[I', '\x1b[O'])('is told from a key: %j', (data) => expect(isFocusReport(data)).toBe(true));

  it.each(['a', '\r', '\x1b', '\x1b[A', '\x1bOR', '\x1b[3~', '\x1b[200~pasted\x1b[201~', '\x1b[<0;1;1M', 'I', '\x1b[1;2R'])(
    'is not a key: %j',
    (data) => expect(isFocusReport(data)).toBe(false),
  );
});
