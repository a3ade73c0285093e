/** The part of the stand-in edge that knows an organization. What is asked of each noun is answered in the noun's file. */
import { AccessRequests, accessRequests } from './access_requests';
import { Alerts, alerts } from './alerts';
import { type Body, NOW, type Routes } from './answers';
import { audit } from './audit';
import { commandLogs } from './command_logs';
import { Commands, commands } from './commands';
import { Community, community } from './community';
import { type Group, groups } from './groups';
import { Instances, instances } from './instances';
import { Inventory, inventory } from './inventory';
import { Jobs, jobs } from './jobs';
import { machines } from './machines';
import { organization } from './organization';
import { organizations } from './organizations';
import { type Role, roles } from './roles';
import { Schedules, schedules } from './schedules';
import { Services, services } from './services';
import { users } from './users';

export interface Tenant {
  tenant_id: string;
  tenant_name: string;
  username: string;
  user_id: string;
}

export const HOME: Tenant = { tenant_id: 'ada', tenant_name: 'Ada’s machines', username: 'ada', user_id: '1' };
export const WORK: Tenant = { tenant_id: 'acme', tenant_name: 'Acme Corporation', username: 'ada.acme', user_id: '2' };

export class Administration {
  tenants = [HOME];
  mailWorks = true;
  chain = {
    valid: true,
    entries: 1234,
    unsealed: 0,
    unauthenticated: 0,
    head: 'c0ffee'.repeat(8),
    broken_at: null as unknown,
    next: null,
  };
  readonly people: Body[] = [];
  readonly groups: Group[] = [];
  readonly roles: Role[] = [];
  readonly entries: Body[] = [];
  /** Oldest first. */
  readonly logged: Body[] = [];
  readonly organizations: Body[] = [];
  /** How old the oldest is of what is kept, and what was removed, newest first. */
  readonly oldest = { oldest_log_at: null as string | null, oldest_recording_at: null as string | null };
  readonly runs: Body[] = [];
  readonly grants: Body[] = [];
  readonly commands = new Commands();
  readonly requests = new AccessRequests();
  readonly community = new Community();
  readonly alerting = new Alerts();
  readonly serving = new Services();
  readonly working = new Jobs();
  readonly scheduling = new Schedules();
  readonly renting = new Instances();
  readonly keeping = new Inventory();
  readonly settings: Body = {
    id: 'o1',
    name: 'ada',
    display_name: 'Ada’s machines',
    description: '',
    enabled: true,
    otp: 'off',
    otp_expiry_minutes: 10,
    admins_create_machines: false,
    inactive_days: 30,
    record_sessions: true,
    recording_days: 90,
    command_log_days: 90,
    command_masks: [],
    terminal_idle_minutes: 0,
    max_sessions: 0,
    max_user_sessions: 0,
    max_processes: 0,
    max_memory_mb: 0,
    allowed_networks: [],
    networks_for_agents: false,
    command_policy: { allowed_commands: [], blocked_commands: [], approval_required_commands: [] },
    user_count: 1,
    machine_count: 0,
    created_at: NOW,
  };

  addPerson(facts: Body): Body {
    const id = String(this.people.length + 1);
    const person = {
      id,
      int_id: Number(id),
      username: `person-${id}`,
      email: `person-${id}@example.com`,
      display_name: null,
      tenant_id: 'ada',
      tenant_name: 'Ada’s machines',
      role: 'user',
      machine_role: '',
      groups: [],
      group_ids: [],
      roles: [],
      enabled: true,
      pending: false,
      last_login: NOW,
      mfa_enabled: false,
      ...facts,
    };
    this.people.push(person);
    return person;
  }

  addEntry(facts: Body = {}): void {
    const int_id = this.entries.length + 1;
    this.entries.unshift({
      id: `e${int_id}`,
      int_id,
      tenant_id: 'ada',
      user_id: '1',
      username: 'ada',
      action: 'login',
      resource: 'auth',
      resource_id: null,
      status: 'success',
      severity: 'info',
      response_status: 200,
      method: 'POST',
      endpoint: '/api/auth/login',
      ip_address: '192.0.2.7',
      browser: 'Chrome',
      os: 'Linux',
      source: 'ui',
      error: null,
      details: {},
      created_at: NOW,
      hash: 'beef'.repeat(16),
      ...facts,
    });
  }

  addCommand(facts: Body = {}): void {
    const key = this.logged.length + 1;
    this.logged.push({
      id: String(key).padStart(24, '0'),
      key,
      command: 'true',
      command_text: 'whole',
      seen: 'announced',
      user_id: '1',
      username: 'ada',
      timestamp: NOW,
      success: (facts.exit_code ?? 0) === 0,
      source: 'ui',
      session_id: 'sess_1',
      machine_id: '1'.padStart(24, '0'),
      machine_name: 'web-1',
      agent_id: '1'.padStart(12, '0'),
      browser: 'Chrome',
      os_info: 'Linux',
      ip_address: '192.0.2.7',
      command_id: null,
      cwd: '/root',
      outcome: 'exited',
      exit_code: 0,
      duration_ms: 40,
      output: '',
      output_available: false,
      output_truncated: false,
      recording_id: null,
      recording_at_ms: null,
      output_from: 0,
      output_to: 10,
      missing: 0,
      ...facts,
    });
  }

  protected readonly administration: Routes = {
    ...users(this),
    ...groups(this),
    ...roles(this),
    ...audit(this),
    ...commandLogs(this),
    ...organization(this),
    ...organizations(this),
    ...machines(this),
    ...commands(this),
    ...accessRequests(this),
    ...community(this),
    ...alerts(this),
    ...services(this),
    ...jobs(this),
    ...schedules(this),
    ...instances(this),
    ...inventory(this),
  };
}
