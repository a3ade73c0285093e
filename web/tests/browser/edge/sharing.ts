/** Sessions that are shared: by the person who looks, and with them. */
import { type Answer, type Body, NOW } from './answers';

/** The token of the links that are made here. */
export const TOKEN = 'f1'.repeat(24);

export class Sharing {
  /** With whom sessions of the person are shared. */
  readonly shares: Body[] = [];
  /** What others have shared with them. */
  readonly shared: Body[] = [];
  /** What the links of others give. */
  readonly links = new Map<string, Body>();
  #count = 0;

  #id(): string {
    return String(++this.#count).padStart(24, '0');
  }

  /** A terminal of Bob's; by name, or by a link with this token. */
  invite(agentId: string, can_type: boolean, token?: string): Body {
    const id = this.#id();
    const facts = { session_id: `bobs-${id}`, agent_id: agentId, machine_name: 'web-1', owner: 'bob' };
    const share = { id, ...facts, can_type, created_at: NOW, expires_at: null };
    if (token === undefined) this.shared.push(share);
    else this.links.set(token, share);
    return share;
  }

  /** The invitation that a path below it is about. */
  of(path: string): Body | undefined {
    const id = /^\/api\/shares\/(\d+)\//.exec(path)?.[1];
    return this.shared.find((share) => share.id === id);
  }

  answer(method: string, path: string, body: Body): Answer | null {
    if (path === '/api/shares') return [200, { shares: this.shared }];
    if (path === '/api/shares/join') {
      const share = this.links.get(String(body.token));
      if (!share) return [404, { error: 'This link is not valid any more, or its session is over' }];
      if (!this.shared.includes(share)) this.shared.push(share);
      return [200, { share }];
    }
    const [, what, id] = /^\/api\/terminal\/sessions\/[^/]+\/(shares|share-links)(?:\/(\d+))?$/.exec(path) ?? [];
    if (what === undefined) return null;
    if (method === 'GET') return [200, { shares: this.shares, people: [] }];
    if (method === 'DELETE') {
      const at = this.shares.findIndex((share) => share.id === id);
      if (at < 0) return [404, { error: 'The session is not shared with them' }];
      this.shares.splice(at, 1);
      return [200, { message: 'The session is not shared with them any more' }];
    }
    const username = what === 'shares' ? String(body.username) : null;
    if (username === 'nobody') return [404, { error: 'User not found' }];
    const share = {
      id: this.#id(),
      user_id: username === null ? null : '7'.padStart(24, '0'),
      username,
      link_id: null,
      can_type: body.can_type === true,
      created_at: NOW,
      expires_at: username === null ? '2026-02-06T13:00:00Z' : null,
    };
    this.shares.push(share);
    const url = `https://edge.example.com/shared/${TOKEN}`;
    return [201, username === null ? { share, token: TOKEN, url } : { share }];
  }
}
