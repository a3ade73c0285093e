import { expect, it } from 'vitest';
import { middle } from './image';

it('a picture is cut to the square in its middle and made no larger', () => {
  expect(middle(1000, 400)).toEqual({ x: 300, y: 0, side: 400, to: 256 });
  expect(middle(400, 1001)).toEqual({ x: 0, y: 300.5, side: 400, to: 256 });
  expect(middle(64, 64)).toEqual({ x: 0, y: 0, side: 64, to: 64 });
});
