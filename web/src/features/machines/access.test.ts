import { expect, it } from 'vitest';
import { describeWay } from './access';

it('says in words why somebody has access', () => {
  expect(['owner', 'admin', 'direct', 'group:night: shift', 'magic'].map(describeWay)).toEqual([
    'Owner',
    'Administrator',
    'Granted',
    'Through the group night: shift',
    'magic',
  ]);
});
