/** Requests for machines. */
import type { Administration } from './administration';
import { type Answer, type Body, NOW, paged, type Routes } from './answers';

export class AccessRequests {
  readonly all: Body[] = [];
  /** Machines that ada may not use. */
  readonly machines: Body[] = [];

  ask(facts: Body): Body {
    const request = {
      id: `r${this.all.length + 1}`,
      machine_id: 'm1',
      machine_name: 'web-1',
      machine_agent_id: '000000000001',
      requester_id: '2',
      requester_username: 'grace',
      requester_email: 'grace@example.com',
      tenant_id: 'ada',
      owner_id: '1',
      owner_username: 'ada',
      owner_email: 'ada@example.com',
      request_note: '',
      machine_role: '',
      duration_hours: 8,
      status: 'pending',
      approved_by: null,
      approved_at: null,
      expires_at: null,
      rejected_by: null,
      reject_comment: '',
      revoked_by: null,
      revoked_at: null,
      requested_at: NOW,
      updated_at: NOW,
      ...facts,
    };
    this.all.unshift(request);
    return request;
  }
}

export function accessRequests(state: Administration): Routes {
  const { all, machines } = state.requests;
  const own = ({ requester_id }: Body): boolean => requester_id === '1';
  const change = (id: string | undefined, facts: Body): Answer => {
    const request = all.find((each) => each.id === id);
    return request
      ? [200, { message: 'done', request: Object.assign(request, facts) }]
      : [404, { error: 'Access request not found' }];
  };
  return {
    'GET /api/access-requests': ({ query }) => [
      200,
      paged(
        'requests',
        all.filter(({ status }) => status === query.get('status')),
        query,
      ),
    ],
    'GET /api/access-requests/my': ({ query }) => [200, paged('requests', all.filter(own), query)],
    'GET /api/access-requests/to-decide': ({ query }) => [
      200,
      paged(
        'requests',
        all.filter((each) => !own(each) && each.status === 'pending'),
        query,
      ),
    ],
    'GET /api/access-requests/machines': ({ query }) => [
      200,
      paged(
        'machines',
        machines.filter(({ name }) => String(name).includes(query.get('search') ?? '')),
        query,
      ),
    ],
    'GET /api/machines/*/pending-requests-count': ({ at: [agentId] }) => [
      200,
      { count: all.filter((each) => each.status === 'pending' && each.machine_agent_id === agentId).length },
    ],
    'POST /api/access-requests': ({ body }) => {
      if (body.machine_role === 'allow_sudo') {
        const fields = [{ field: 'machine_role', message: 'cannot be allow_sudo' }];
        return [400, { error: 'machine_role cannot be allow_sudo', fields }];
      }
      const facts = { requester_id: '1', requester_username: 'ada', ...body };
      const machine = machines.find(({ machine_id }) => machine_id === body.machine_id);
      return [201, state.requests.ask(machine ? { ...facts, machine_name: machine.name } : facts)];
    },
    'DELETE /api/access-requests/*': ({ at: [id] }) => {
      all.splice(
        all.findIndex((each) => each.id === id),
        1,
      );
      return [200, { message: 'Access request cancelled' }];
    },
    'POST /api/access-requests/*/approve': ({ at: [id] }) => change(id, { status: 'approved', approved_by: 'ada' }),
    'POST /api/access-requests/*/reject': ({ at: [id], body }) =>
      change(id, { status: 'rejected', rejected_by: 'ada', reject_comment: body.comment }),
    'POST /api/access-requests/*/revoke': ({ at: [id] }) => change(id, { status: 'revoked', revoked_by: 'ada' }),
  };
}
