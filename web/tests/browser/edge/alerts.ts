/** Alerts, the rules that raise them, and webhooks, whose receivers answer as a test says. */
import { type Body, NOW, paged, type Routes } from './answers';

export class Alerts {
  readonly alerts: Body[] = [];
  readonly rules: Body[] = [];
  readonly webhooks: Body[] = [];
  readonly deliveries: Body[] = [];
  /** What receivers answer. */
  answers = 200;

  raise(facts: Body): Body {
    const alert = {
      id: `a${this.alerts.length + 1}`,
      rule_id: 'r1',
      rule_name: 'Servers are up',
      event: 'machine_offline',
      summary: 'web-1 is offline',
      agent_id: '000000000001',
      details: { machine: 'web-1' },
      status: 'open',
      count: 1,
      started_at: NOW,
      last_at: NOW,
      raised_at: NOW,
      resolved_at: null,
      acknowledged_at: null,
      acknowledged_by: '',
      ...facts,
    };
    this.alerts.unshift(alert);
    return alert;
  }

  rule(facts: Body): Body {
    const rule = { id: `r${this.rules.length + 1}`, created_at: NOW, updated_at: NOW, ...facts };
    this.rules.push(rule);
    return rule;
  }

  webhook(facts: Body): Body {
    const webhook = {
      id: `w${this.webhooks.length + 1}`,
      failing_since: null,
      switched_off_at: null,
      former_secret_until: null,
      pending: 0,
      events: [],
      active: true,
      created_at: NOW,
      updated_at: NOW,
      ...facts,
    };
    this.webhooks.push(webhook);
    return webhook;
  }

  /** Posts something to a webhook. */
  send(facts: Body): Body {
    const arrived = this.answers < 300;
    const said = {
      status: arrived ? 'delivered' : 'failed',
      response_status: this.answers,
      response: arrived ? 'thank you' : 'no room',
      error: arrived ? '' : `It answered ${this.answers}`,
      duration_ms: 12,
      last_attempt_at: NOW,
      next_attempt_at: null,
    };
    return Object.assign(facts, said, { attempts: Number(facts.attempts ?? 0) + 1 });
  }
}

export function alerts({ alerting: state }: { alerting: Alerts }): Routes {
  const find = (list: Body[], id: string | undefined): Body => {
    const found = list.find((each) => each.id === id);
    if (!found) throw new Error(`nothing is called ${id}`);
    return found;
  };
  const remove = (list: Body[], id: string | undefined): void => void list.splice(list.indexOf(find(list, id)), 1);
  return {
    'GET /api/alerts': ({ query }) => {
      const [status, event] = [query.get('status'), query.get('event')];
      const is = (alert: Body): boolean => (!status || alert.status === status) && (!event || alert.event === event);
      return [200, paged('alerts', state.alerts.filter(is), query)];
    },
    'POST /api/alerts/*/acknowledge': ({ at: [id] }) => [
      200,
      Object.assign(find(state.alerts, id), { acknowledged_at: NOW, acknowledged_by: 'ada' }),
    ],
    'GET /api/alerts/rules': () => [200, { rules: state.rules }],
    'POST /api/alerts/rules': ({ body }) => [201, state.rule(body)],
    'PUT /api/alerts/rules/*': ({ at: [id], body }) => [200, Object.assign(find(state.rules, id), body)],
    'DELETE /api/alerts/rules/*': ({ at: [id] }) => {
      remove(state.rules, id);
      return [200, { message: '' }];
    },
    'GET /api/webhooks': () => [200, { webhooks: state.webhooks }],
    'POST /api/webhooks': ({ body }) => {
      const url = String(body.url);
      if (!url.startsWith('https://')) {
        const error = 'url must begin with https://';
        return [400, { error, code: 'validation_failed', fields: [{ field: 'url', message: 'must begin with https://' }] }];
      }
      return [201, { webhook: state.webhook(body), secret: 'whsec_c2VjcmV0' }];
    },
    'GET /api/webhooks/*': ({ at: [id] }) => [200, find(state.webhooks, id)],
    'PUT /api/webhooks/*': ({ at: [id], body }) => [200, Object.assign(find(state.webhooks, id), body)],
    'DELETE /api/webhooks/*': ({ at: [id] }) => {
      remove(state.webhooks, id);
      return [200, { message: '' }];
    },
    'POST /api/webhooks/*/rotate-secret': ({ at: [id] }) => {
      const webhook = Object.assign(find(state.webhooks, id), { former_secret_until: NOW });
      return [200, { webhook, secret: 'whsec_YW5vdGhlcg==' }];
    },
    'POST /api/webhooks/*/test': () => {
      const facts = { id: `d${state.deliveries.length + 1}`, event: 'test', summary: 'A test', payload: '{"type":"test"}' };
      const delivery = state.send({ ...facts, created_at: NOW });
      state.deliveries.unshift(delivery);
      return [200, delivery];
    },
    'GET /api/webhooks/*/deliveries': ({ query }) => [200, paged('deliveries', state.deliveries, query)],
    'POST /api/webhooks/*/deliveries/*/redeliver': ({ at: [, id] }) => [200, state.send(find(state.deliveries, id))],
  };
}
