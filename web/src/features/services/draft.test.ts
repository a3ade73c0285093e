import { describe, expect, it } from 'vitest';
import { draftOf, given } from './draft';
import { scriptsOf } from './scripts';

describe('what a script is run with', () => {
  it('is sent with lists as lists, keys as one text, and what is empty not at all', () => {
    const asked = [
      { name: 'username' },
      { name: 'groups', type: 'list', default: ['users', 'ops'] },
      { name: 'shell', type: 'select', options: ['bash'], default: 'bash' },
      { name: 'keys', type: 'ssh_key_select' },
      { name: 'secret', type: 'password' },
      { name: 'colour', default: 3 },
    ];
    const inputs = scriptsOf([{ name: 'add-user', inputs: asked }])[0]?.inputs ?? [];
    const draft = draftOf(inputs);
    expect(given(inputs, draft)).toEqual({ groups: ['users', 'ops'], shell: 'bash', colour: '3' });
    Object.assign(draft, {
      username: ' ada ',
      groups: '\n \n',
      keys: 'ssh-ed25519 A\nssh-ed25519 B',
      shell: '',
      colour: '',
    });
    expect(given(inputs, draft)).toEqual({ username: ' ada ', keys: 'ssh-ed25519 A,ssh-ed25519 B' });
  });
});
