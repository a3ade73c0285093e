import { describe, expect, it } from 'vitest';
import { shortcutOf, withControl } from './shortcuts';

function press(combination: string): ReturnType<typeof shortcutOf> {
  const parts = combination.split(' ');
  const key = parts.pop() ?? '';
  const held = (name: string): boolean => parts.includes(name);
  return shortcutOf({
    key,
    code: '',
    ctrlKey: held('Ctrl'),
    metaKey: held('Cmd'),
    shiftKey: held('Shift'),
    altKey: held('Alt'),
  });
}

describe('the console’s shortcuts', () => {
  it.each([
    ['Ctrl +', 'larger'],
    ['Ctrl =', 'larger'],
    ['Ctrl Shift +', 'larger'],
    ['Cmd =', 'larger'],
    ['Ctrl -', 'smaller'],
    ['Cmd 0', 'reset-size'],
    ['Ctrl Shift F', 'find'],
    ['Cmd f', 'find'],
    ['Ctrl Shift C', 'copy'],
    ['Cmd c', 'copy'],
    ['Ctrl Shift V', 'paste'],
    ['Ctrl Shift ArrowUp', 'tabs'],
  ])('%s is %s', (combination, shortcut) => expect(press(combination)).toBe(shortcut));

  it.each([
    'Ctrl c',
    'Ctrl v',
    'Ctrl f',
    'Ctrl d',
    'Ctrl _',
    'Ctrl Shift _',
    'Alt f',
    'Ctrl Alt =',
    'c',
    '+',
    'Shift C',
    'Ctrl ArrowUp',
  ])('%s belongs to the shell', (combination) => expect(press(combination)).toBeNull());
});

describe('the Ctrl key of the key row', () => {
  it.each([
    ['c', '\x03'],
    ['C', '\x03'],
    ['[', '\x1b'],
    [' ', '\0'],
    ['?', '\x7f'],
    ['1', '1'],
    ['abc', 'abc'],
    ['ä', 'ä'],
  ])('turns %j into %j', (data, expected) => expect(withControl(data)).toBe(expected));
});
