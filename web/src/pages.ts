/** The pages of the console, each declared once: where it is, who may see it, which menu leads to it, and what shows it. */
import type { Component } from 'svelte';
import { meets, type Needs, type Rights } from './auth/needs';
import AcceptInvite from './features/accounts/AcceptInvite.svelte';
import ForgotPassword from './features/accounts/ForgotPassword.svelte';
import ResetPassword from './features/accounts/ResetPassword.svelte';
import SetUp from './features/accounts/SetUp.svelte';
import VerifyEmail from './features/accounts/VerifyEmail.svelte';
import MachinesPage from './features/machines/MachinesPage.svelte';
import OAuthCallback from './features/sign_in/OAuthCallback.svelte';
import SignIn from './features/sign_in/SignIn.svelte';
import SignUp from './features/sign_up/SignUp.svelte';
import { match, type Params } from './path';
import MissingPage from './shell/MissingPage.svelte';

/** Where pages stand side by side: in the header, or as the tabs of an area. */
export type Menu = 'main' | Area;
export type Area = 'account' | 'services' | 'inventory' | 'administration';

interface Facts {
  /** A second path of the same page. */
  also?: string;
  needs: Needs;
  /** Which menu it belongs to. */
  menu?: Menu;
  /** What its link in the menu says. A page without one is reached from another page. */
  label?: string;
}

/** The component of a page takes what the pattern names. What is rarely the first page is loaded when it is opened. */
type Shown<Props extends Record<string, string>> =
  | { component: Component<Props>; load?: never }
  | { component?: never; load: () => Promise<{ default: Component<Props> }> };

export type Page = { path: string } & Facts & Shown<Record<string, string>>;

function page<Pattern extends string>(path: Pattern, facts: Facts & Shown<Params<Pattern>>): Page {
  // `match` gives just what the pattern names.
  return { path, ...facts } as unknown as Page;
}

export const PAGES = {
  'sign-in': page('/sign-in', { needs: 'stranger', component: SignIn }),
  'sign-up': page('/sign-up', { needs: 'stranger', component: SignUp }),
  setup: page('/setup', { needs: 'stranger', component: SetUp }),
  'forgot-password': page('/forgot-password', { needs: 'stranger', component: ForgotPassword }),

  'oauth-callback': page('/oauth/callback', { needs: 'anybody', component: OAuthCallback }),
  'reset-password': page('/reset-password/:token', { needs: 'anybody', component: ResetPassword }),
  'accept-invite': page('/accept-invite/:token', { needs: 'anybody', component: AcceptInvite }),
  'verify-email': page('/verify-email/:token', { needs: 'anybody', component: VerifyEmail }),
  reference: page('/docs/api', { needs: 'anybody', load: () => import('./features/reference/ReferencePage.svelte') }),

  dashboard: page('/dashboard', {
    needs: 'account',
    menu: 'main',
    label: 'Dashboard',
    load: () => import('./features/dashboard/DashboardPage.svelte'),
  }),
  machines: page('/machines', { also: '/', needs: 'account', menu: 'main', label: 'Machines', component: MachinesPage }),
  machine: page('/machines/:agentId', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/machines/MachinePage.svelte'),
  }),
  terminals: page('/terminal', {
    needs: 'account',
    menu: 'main',
    label: 'Terminals',
    load: () => import('./features/terminals/TerminalPage.svelte'),
  }),
  sessions: page('/running', {
    needs: 'account',
    menu: 'main',
    label: 'Sessions',
    load: () => import('./features/sessions/SessionsPage.svelte'),
  }),
  session: page('/running/:sessionId', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/sessions/SessionPage.svelte'),
  }),

  community: page('/community', {
    needs: 'account',
    menu: 'main',
    label: 'Community',
    load: () => import('./features/community/CommunityPage.svelte'),
  }),
  issue: page('/community/:id', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/community/IssuePage.svelte'),
  }),

  'sent-commands': page('/commands', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/commands/CommandsPage.svelte'),
  }),
  'sent-command': page('/commands/:commandId', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/commands/CommandPage.svelte'),
  }),
  requests: page('/requests', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/access_requests/AccessRequestsPage.svelte'),
  }),
  shared: page('/shared/:token', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/sharing/SharedPage.svelte'),
  }),
  recording: page('/recordings/:id', {
    needs: 'account',
    menu: 'main',
    load: () => import('./features/recordings/RecordingPage.svelte'),
  }),

  services: page('/services', {
    needs: 'services.view',
    menu: 'services',
    label: 'Services',
    load: () => import('./features/services/ServicesPage.svelte'),
  }),
  service: page('/services/:service', {
    needs: 'services.view',
    menu: 'services',
    load: () => import('./features/services/ServicePage.svelte'),
  }),
  instances: page('/instances', {
    needs: 'instances.view',
    menu: 'services',
    label: 'Instances',
    load: () => import('./features/instances/InstancesPage.svelte'),
  }),
  jobs: page('/jobs', {
    needs: 'jobs.view_own|jobs.view_all',
    menu: 'services',
    label: 'Jobs',
    load: () => import('./features/jobs/JobsPage.svelte'),
  }),
  job: page('/jobs/:id', {
    needs: 'jobs.view_own|jobs.view_all',
    menu: 'services',
    load: () => import('./features/jobs/JobPage.svelte'),
  }),
  schedules: page('/schedules', {
    needs: 'schedules.view',
    menu: 'services',
    label: 'Schedules',
    load: () => import('./features/schedules/SchedulesPage.svelte'),
  }),
  schedule: page('/schedules/:id', {
    needs: 'schedules.view',
    menu: 'services',
    load: () => import('./features/schedules/SchedulePage.svelte'),
  }),

  inventory: page('/inventory', {
    needs: 'account',
    menu: 'inventory',
    label: 'Types',
    load: () => import('./features/inventory/TypesPage.svelte'),
  }),
  tags: page('/inventory/tags', {
    needs: 'account',
    menu: 'inventory',
    label: 'Tags',
    load: () => import('./features/inventory/TagsPage.svelte'),
  }),
  things: page('/inventory/:slug', {
    needs: 'account',
    menu: 'inventory',
    load: () => import('./features/inventory/ThingsPage.svelte'),
  }),
  thing: page('/inventory/:slug/:id', {
    needs: 'account',
    menu: 'inventory',
    load: () => import('./features/inventory/ThingPage.svelte'),
  }),
  ssh: page('/inventory/:slug/:id/ssh', {
    needs: 'account',
    menu: 'inventory',
    load: () => import('./features/inventory/SshPage.svelte'),
  }),

  profile: page('/account', {
    also: '/account/profile',
    needs: 'account',
    menu: 'account',
    label: 'Profile',
    load: () => import('./features/profile/ProfilePage.svelte'),
  }),
  security: page('/account/security', {
    needs: 'account',
    menu: 'account',
    label: 'Security',
    load: () => import('./features/accounts/SecurityPage.svelte'),
  }),
  keys: page('/account/keys', {
    needs: 'account',
    menu: 'account',
    label: 'Keys',
    load: () => import('./features/profile/KeysPage.svelte'),
  }),

  users: page('/admin/people', {
    also: '/admin',
    needs: 'users.view',
    menu: 'administration',
    label: 'People',
    load: () => import('./features/users/UsersPage.svelte'),
  }),
  groups: page('/admin/groups', {
    needs: 'admin',
    menu: 'administration',
    label: 'Groups',
    load: () => import('./features/groups/GroupsPage.svelte'),
  }),
  group: page('/admin/groups/:id', {
    needs: 'admin',
    menu: 'administration',
    load: () => import('./features/groups/GroupPage.svelte'),
  }),
  roles: page('/admin/roles', {
    needs: 'roles.view',
    menu: 'administration',
    label: 'Roles',
    load: () => import('./features/roles/RolesPage.svelte'),
  }),
  audit: page('/admin/audit', {
    needs: 'system.audit_log',
    menu: 'administration',
    label: 'Audit',
    load: () => import('./features/audit/AuditPage.svelte'),
  }),
  commands: page('/admin/commands', {
    needs: 'system.audit_log',
    menu: 'administration',
    label: 'Commands',
    load: () => import('./features/command_logs/CommandLogPage.svelte'),
  }),
  alerts: page('/admin/alerts', {
    needs: 'admin',
    menu: 'administration',
    label: 'Alerts',
    load: () => import('./features/alerts/AlertsPage.svelte'),
  }),
  webhook: page('/admin/alerts/webhooks/:id', {
    needs: 'admin',
    menu: 'administration',
    load: () => import('./features/webhooks/WebhookPage.svelte'),
  }),
  organization: page('/admin/organization', {
    needs: 'admin',
    menu: 'administration',
    label: 'Settings',
    load: () => import('./features/organization/OrganizationPage.svelte'),
  }),
  organizations: page('/admin/organizations', {
    needs: 'super_admin',
    menu: 'administration',
    label: 'Organizations',
    load: () => import('./features/organizations/OrganizationsPage.svelte'),
  }),
  branding: page('/admin/branding', {
    needs: 'super_admin',
    menu: 'administration',
    label: 'Branding',
    load: () => import('./features/branding/BrandingPage.svelte'),
  }),
};

export type PageName = keyof typeof PAGES;

const ALL = Object.entries(PAGES) as [PageName, Page][];

const MISSING = page('', { needs: 'account', component: MissingPage });

/** What a path leads to. */
export interface Visit {
  name: PageName | 'missing';
  page: Page;
  params: Record<string, string>;
}

export function visit(path: string): Visit {
  for (const [name, page] of ALL) {
    const params = match(page.path, path) ?? (page.also === undefined ? null : match(page.also, path));
    if (params) return { name, page, params };
  }
  return { name: 'missing', page: MISSING, params: {} };
}

export interface Link {
  name: PageName;
  href: string;
  text: string;
}

/** The links of a menu to what somebody may see. */
export function linksIn(menu: Menu, rights: Rights): Link[] {
  return ALL.flatMap(([name, page]) =>
    page.menu === menu && page.label !== undefined && meets(page.needs, rights)
      ? [{ name, href: page.path, text: page.label }]
      : [],
  );
}

/** Which of the links is marked while a page is shown: its own, or that of the page it lies below. */
export function markedFor({ path }: Page, links: readonly Link[]): Link | undefined {
  const above = links.filter(({ href }) => `${path}/`.startsWith(`${href}/`));
  return above.sort((one, other) => other.href.length - one.href.length)[0];
}
