import { describe, expect, it } from 'vitest';
import { lastLines, type SeenCommand, withNews } from './commands';
import type { CommandEnded, CommandRunning } from './messages';

const sent = { command_id: 'cmd_1', by: 'ada', command: 'apt-get update', stdout: '', stderr: '' };
const running = (part: number, stdout: string): CommandRunning => ({ ...sent, type: 'command_running', part, stdout });
const ended: CommandEnded = {
  ...sent,
  type: 'command_ended',
  status: 'completed',
  exit_code: 0,
  signal: null,
  error: null,
  stdout: 'all\n',
};

function seen(...news: (CommandRunning | CommandEnded)[]): readonly SeenCommand[] {
  return news.reduce<readonly SeenCommand[]>(withNews, []);
}

describe('a command that was sent to the machine', () => {
  it('is shown with what it wrote, part by part, and with how it ended', () => {
    expect(seen(running(0, 'one\n'), running(1, 'two\n'))).toMatchObject([
      { by: 'ada', command: 'apt-get update', output: 'one\ntwo\n', incomplete: false, ended: null },
    ]);
    expect(seen(running(0, 'one\n'), ended)).toMatchObject([
      { output: 'all\n', ended: { status: 'completed', exit_code: 0 } },
    ]);
  });

  it('is known to be incomplete where parts passed by, until its end is there', () => {
    expect(seen(running(3, 'x'))[0]?.incomplete).toBe(true);
    expect(seen(running(0, 'a'), running(2, 'c'), running(3, 'd'))[0]?.incomplete).toBe(true);
    expect(seen(running(3, 'x'), ended)[0]?.incomplete).toBe(false);
  });

  it('keeps its place among others while it runs, and no more than the end of what it wrote', () => {
    const other = { ...running(0, 'b'), command_id: 'cmd_2' };
    expect(seen(running(0, 'a'), other, running(1, 'c')).map(({ id }) => id)).toEqual(['cmd_1', 'cmd_2']);
    expect(seen(running(0, 'x'.repeat(100_000)))[0]?.output.length).toBeLessThan(10_000);
  });
});

describe('the last lines of an output', () => {
  it.each([
    ['', ''],
    ['one\n', 'one'],
    ['1\n2\n3\n4\n5\n6', '3\n4\n5\n6'],
    ['one\n\n\n', 'one'],
    ['10%\r50%\r100%', '100%'],
    ['10%\r50%\r\n', '50%'],
    ['\u001b[31mred\u001b[0m\u0007', 'red'],
    ['\u001b]0;title\u0007plain', 'plain'],
  ])('%o reads %o', (output, text) => expect(lastLines(output)).toBe(text));
});
