import { describe, expect, it } from 'vitest';
import { scriptsOf } from './scripts';

const SCRIPTS = [
  {
    name: 'add-user',
    label: 'Add a user',
    description: 'Makes an account',
    inputs: [
      { name: 'username', type: 'string', required: true },
      { name: 'groups', type: 'list', required: 'Yes', default: ['users', 'ops'] },
      { name: 'shell', type: 'select', options: ['bash', 5, null], default: 'bash' },
      { name: 'target', type: 'deployment_select' },
      { name: 'keys', type: 'ssh_key_select' },
      { name: 'secret', type: 'password' },
      { name: 'colour', type: 'rainbow', label: 'Colour', description: 'Any', default: 3 },
      { type: 'string' },
      'nonsense',
    ],
  },
  { name: 'deploy', file: 'deploy.sh' },
  { label: 'has no name' },
  null,
  [],
];

describe('what a scripts.yaml says', () => {
  const [script, deploy, ...others] = scriptsOf(SCRIPTS);

  it('is read as far as it makes sense', () => {
    expect(others).toEqual([]);
    expect(deploy).toEqual({ name: 'deploy', label: 'deploy', description: '', inputs: [] });
    expect(script?.inputs.map(({ name, kind }) => [name, kind])).toEqual([
      ['username', 'text'],
      ['groups', 'list'],
      ['shell', 'select'],
      ['target', 'deployment'],
      ['keys', 'keys'],
      ['secret', 'password'],
      ['colour', 'text'],
    ]);
    expect(script?.inputs[0]).toMatchObject({ label: 'username', required: true, initial: '' });
    expect(script?.inputs.map(({ required }) => required).slice(0, 3)).toEqual([true, true, false]);
    expect(script?.inputs[2]).toMatchObject({ options: ['bash', '5'], initial: 'bash' });
    expect(script?.inputs[6]).toMatchObject({ label: 'Colour', description: 'Any', initial: '3', required: false });
  });
});
