/** What the audit log records, as people read it after a name: "ada signed in". */

export const ACTIONS: Readonly<Record<string, string>> = {
  login: 'signed in',
  login_failed: 'could not sign in',
  otp_sent: 'was sent a code by mail',
  verify_otp: 'gave the code of a mail',
  logout: 'signed out',
  token_refresh: 'stayed signed in',
  signup: 'created an account',
  'auth.setup': 'set the server up',
  email_verified: 'confirmed a mail address',
  password_changed: 'changed the password',
  password_reset_requested: 'asked for a new password',
  'auth.password_reset': 'chose a new password',
  totp_enabled: 'turned the second factor on',
  totp_disabled: 'turned the second factor off',
  totp_reset: 'took off somebody’s second factor',
  recovery_codes_replaced: 'made new recovery codes',
  api_key_created: 'made an API key',
  api_key_revoked: 'revoked an API key',
  api_key_regenerated: 'replaced the account key',
  'user.profile.update': 'changed their profile',
  'user.ssh_key.generate': 'made an SSH key',
  'user.ssh_key.delete': 'removed the SSH key',
  'user.invite': 'invited somebody',
  'user.invite.resend': 'sent an invitation again',
  'user.invite.accept': 'accepted an invitation',
  user_created: 'created a person’s account',
  user_updated: 'changed a person’s account',
  user_deleted: 'removed a person',
  user_deprovisioned: 'was disabled for inactivity',
  role_changed: 'changed a person’s role',
  'user.roles.assign': 'gave a person roles',
  'role.create': 'made a role',
  'role.edit': 'changed a role',
  'role.delete': 'deleted a role',
  group_created: 'made a group',
  group_updated: 'changed a group',
  group_deleted: 'deleted a group',
  group_member_added: 'added people to a group',
  group_member_removed: 'removed somebody from a group',
  group_machine_added: 'added machines to a group',
  group_machine_removed: 'removed a machine from a group',
  access_granted: 'granted access to a machine',
  access_revoked: 'revoked access to a machine',
  access_requested: 'asked for a machine',
  access_request_cancelled: 'took back a request for a machine',
  access_request_approved: 'approved a request for a machine',
  access_request_rejected: 'rejected a request for a machine',
  access_request_revoked: 'revoked what a request for a machine gave',
  access_request_expired: 'had the time of a request for a machine end',
  machine_created: 'added a machine',
  machine_updated: 'changed a machine',
  machine_registered: 'enrolled a machine',
  branding_changed: 'changed name or look',
  machine_key_rotation_asked: 'asked a machine for a new key',
  machine_key_rotated: 'gave a machine a new key',
  machine_access: 'opened a terminal',
  machine_deleted: 'deleted a machine',
  agent_duplicate: 'refused a copy of a machine',
  machine_health: 'saw a machine do worse or better',
  external_login: 'logged in on a machine past the edge',
  command_executed: 'ran a command',
  command_cancelled: 'cancelled a command',
  session_renamed: 'named a session',
  session_terminated: 'ended a session',
  session_ended: 'had a session end',
  session_shared: 'shared a terminal',
  session_share_ended: 'stopped sharing a terminal',
  session_link_opened: 'opened a link to a terminal',
  session_joined: 'joined a shared terminal',
  recording_deleted: 'deleted a recording',
  issue_created: 'wrote an issue',
  issue_updated: 'changed an issue',
  issue_deleted: 'deleted an issue',
  fix_accepted: 'accepted a fix',
  fix_deleted: 'removed a fix',
  comment_deleted: 'removed a comment',
  organization_created: 'created an organization',
  organization_updated: 'changed an organization',
  organization_deleted: 'deleted an organization',
  settings_changed: 'changed the settings',
  audit_exported: 'exported the audit log',
  denied: 'was refused something',
};

/** Details that name what was done to whom, in the order they are read. */
const NAMES = ['username', 'invited_username', 'machine', 'group', 'name', 'organization'];

/** To whom or what it was done, as far as the entry names it: `ada`, `ada, web-1`. */
export function describeObject({ username, details }: { username: string; details?: unknown }): string {
  if (typeof details !== 'object' || details === null) return '';
  const facts = details as Record<string, unknown>;
  const named = NAMES.map((name) => facts[name]).filter(
    (value) => typeof value === 'string' && value !== '' && value !== username,
  );
  return [...new Set(named)].join(', ');
}

/** An action in words; one that is not known here, as it is called. */
export function describeAction(action: string): string {
  return ACTIONS[action] ?? action.replaceAll(/[_.]+/g, ' ');
}
