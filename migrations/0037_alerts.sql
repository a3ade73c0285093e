-- Rules that say what an organization wants to know, what happened that rules look at, and the alerts that came of it.

CREATE TABLE alert_rules (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  event TEXT NOT NULL
    CHECK (event IN ('machine_offline', 'machine_online', 'session_start', 'failed_login', 'command', 'high_usage')),
  -- On which machines: on all of them, if none of the three is given. A rule goes with its group or machine, and never becomes one
  -- of all of them.
  tag TEXT,
  group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
  machine_id TEXT REFERENCES machines (id) ON DELETE CASCADE,
  -- For how long a machine must be away; within which time sign-ins must fail, and how many.
  minutes INTEGER NOT NULL,
  count INTEGER NOT NULL,
  -- Of which commands: with this word in them, and only those that failed.
  program TEXT NOT NULL,
  failed_only INTEGER NOT NULL CHECK (failed_only IN (0, 1)),
  -- From which state of a machine on.
  level TEXT NOT NULL CHECK (level IN ('warning', 'critical')),
  -- For how long the same is not told again.
  quiet_minutes INTEGER NOT NULL,
  -- JSON: who is told.
  user_ids TEXT NOT NULL,
  webhook_ids TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- Whether anybody wants to know, which is asked whenever something happens.
CREATE INDEX alert_rules_by_event ON alert_rules (organization_id, event, active);
CREATE INDEX alert_rules_by_group ON alert_rules (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX alert_rules_by_machine ON alert_rules (machine_id) WHERE machine_id IS NOT NULL;

-- Made by triggers, in the transaction of what happened, and only where somebody wants to know. Rules are applied later.
CREATE TABLE alert_signals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  event TEXT NOT NULL,
  machine_id TEXT,
  -- What alerts are told apart by: the machine, or the name that somebody tried to sign in with.
  subject TEXT NOT NULL,
  -- JSON: an object.
  details TEXT NOT NULL,
  at TEXT NOT NULL,
  -- Rules were applied. It is kept for a while, as some count.
  taken INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX alert_signals_waiting ON alert_signals (id) WHERE taken = 0;
CREATE INDEX alert_signals_by_subject ON alert_signals (organization_id, event, subject, at);
CREATE INDEX alert_signals_by_age ON alert_signals (at) WHERE taken = 1;

CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- None once the rule is gone, whose name stays.
  rule_id TEXT REFERENCES alert_rules (id) ON DELETE SET NULL,
  rule_name TEXT NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  machine_id TEXT,
  details TEXT NOT NULL,
  summary TEXT NOT NULL,
  -- One that is pending becomes open when its time has come, unless what it tells of is over by then.
  status TEXT NOT NULL CHECK (status IN ('pending', 'open', 'resolved')),
  due_at TEXT,
  -- How often it happened, and when first and last.
  count INTEGER NOT NULL DEFAULT 1,
  started_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  -- When it became open; NULL of one that never did.
  raised_at TEXT,
  -- When somebody was told last.
  notified_at TEXT,
  resolved_at TEXT,
  acknowledged_at TEXT,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  -- What somebody has still to be told.
  told TEXT CHECK (told IN ('raised', 'resolved'))
) STRICT;

-- Of one thing there is one alert of a rule at a time.
CREATE UNIQUE INDEX alerts_live ON alerts (rule_id, subject) WHERE status <> 'resolved';
CREATE INDEX alerts_live_by_machine ON alerts (machine_id) WHERE status <> 'resolved';
CREATE INDEX alerts_due ON alerts (due_at) WHERE status = 'pending';
CREATE INDEX alerts_untold ON alerts (id) WHERE told IS NOT NULL;
-- When a rule last told of something.
CREATE INDEX alerts_by_rule ON alerts (rule_id, subject, notified_at);
-- Lists, newest first.
CREATE INDEX alerts_by_status ON alerts (organization_id, status, raised_at);
CREATE INDEX alerts_by_organization ON alerts (organization_id, raised_at);
-- What is removed because it is old.
CREATE INDEX alerts_by_age ON alerts (last_at);

-- Whether somebody in an organization wants to know of an event is the same question everywhere: a rule that is on, or a webhook.

CREATE TRIGGER alert_signals_of_machines AFTER UPDATE OF status ON machines
WHEN OLD.status <> NEW.status AND NEW.status IN ('online', 'offline') AND (
  EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event IN ('machine_offline', 'machine_online') AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'machine_' || NEW.status))
BEGIN
  INSERT INTO alert_signals (organization_id, event, machine_id, subject, details, at)
  VALUES (NEW.organization_id, 'machine_' || NEW.status, NEW.id, NEW.id, json_object('machine', NEW.name, 'agent_id', NEW.agent_id),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
END;

-- A machine that is gone, or whose agent was shut out, is not away.
CREATE TRIGGER alerts_of_revoked_machines AFTER UPDATE OF status ON machines WHEN NEW.status = 'revoked'
BEGIN
  UPDATE alerts SET status = 'resolved', resolved_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), due_at = NULL
  WHERE machine_id = NEW.id AND status <> 'resolved';
END;

CREATE TRIGGER alerts_of_deleted_machines AFTER DELETE ON machines
BEGIN
  UPDATE alerts SET status = 'resolved', resolved_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), due_at = NULL
  WHERE machine_id = OLD.id AND status <> 'resolved';
END;

CREATE TRIGGER alert_signals_of_sessions AFTER INSERT ON terminal_sessions
WHEN EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event = 'session_start' AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'session_start')
BEGIN
  INSERT INTO alert_signals (organization_id, event, machine_id, subject, details, at)
  SELECT NEW.organization_id, 'session_start', m.id, m.id, json_object('machine', m.name, 'agent_id', m.agent_id,
    'session_id', NEW.session_id, 'user_id', NEW.user_id, 'username', NEW.username, 'ip_address', NEW.ip_address, 'source', NEW.source),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM machines m WHERE m.id = NEW.machine_id;
END;

-- The same of a session that was closed and is opened again: it is a new shell.
CREATE TRIGGER alert_signals_of_reopened_sessions AFTER UPDATE OF status ON terminal_sessions
WHEN OLD.status = 'closed' AND NEW.status = 'active' AND (
  EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event = 'session_start' AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'session_start'))
BEGIN
  INSERT INTO alert_signals (organization_id, event, machine_id, subject, details, at)
  SELECT NEW.organization_id, 'session_start', m.id, m.id, json_object('machine', m.name, 'agent_id', m.agent_id,
    'session_id', NEW.session_id, 'user_id', NEW.user_id, 'username', NEW.username, 'ip_address', NEW.ip_address, 'source', NEW.source),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM machines m WHERE m.id = NEW.machine_id;
END;

-- What the audit log says already. A sign-in to an account that does not exist is in nobody's organization.
CREATE TRIGGER alert_signals_of_sign_ins AFTER INSERT ON audit_log
WHEN NEW.action = 'login_failed' AND NEW.organization_id <> '' AND (
  EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event = 'failed_login' AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'failed_login'))
BEGIN
  INSERT INTO alert_signals (organization_id, event, subject, details, at)
  SELECT o.id, 'failed_login', lower(NEW.username), json_object('username', NEW.username, 'ip_address', NEW.ip_address,
    'source', NEW.source, 'error', NEW.error), NEW.created_at
  FROM organizations o WHERE o.id = NEW.organization_id;
END;

CREATE TRIGGER alert_signals_of_health AFTER INSERT ON audit_log
WHEN NEW.action = 'machine_health' AND (
  EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event = 'high_usage' AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'high_usage'))
BEGIN
  INSERT INTO alert_signals (organization_id, event, machine_id, subject, details, at)
  SELECT o.id, 'high_usage', NEW.resource_id, NEW.resource_id, NEW.details, NEW.created_at
  FROM organizations o WHERE o.id = NEW.organization_id;
END;

CREATE TRIGGER alert_signals_of_commands AFTER INSERT ON command_logs
WHEN NEW.text <> 'missing' AND (
  EXISTS (SELECT 1 FROM alert_rules r WHERE r.organization_id = NEW.organization_id AND r.event = 'command' AND r.active = 1)
  OR EXISTS (SELECT 1 FROM webhooks w, json_each(w.events) e WHERE w.organization_id = NEW.organization_id AND w.active = 1 AND e.value = 'command'))
BEGIN
  INSERT INTO alert_signals (organization_id, event, machine_id, subject, details, at)
  SELECT o.id, 'command', NEW.machine_id, NEW.machine_id, json_object('machine', NEW.machine_name, 'agent_id', NEW.agent_id,
    'user_id', NEW.user_id, 'username', NEW.username, 'session_id', NEW.session_id, 'source', NEW.source, 'command', NEW.command,
    'exit_code', NEW.exit_code, 'refused', json(iif(NEW.policy IS 'refused', 'true', 'false')), 'started_at', NEW.started_at), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM organizations o WHERE o.id = NEW.organization_id;
END;

-- What a rule told of is over when the rule is, or asks for something else.
CREATE TRIGGER alerts_of_deleted_rules BEFORE DELETE ON alert_rules
BEGIN
  UPDATE alerts SET status = 'resolved', resolved_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), due_at = NULL
  WHERE rule_id = OLD.id AND status <> 'resolved';
END;

CREATE TRIGGER alerts_of_changed_rules AFTER UPDATE OF event, tag, group_id, machine_id, minutes, level, active ON alert_rules
WHEN NEW.event <> OLD.event OR NEW.tag IS NOT OLD.tag OR NEW.group_id IS NOT OLD.group_id OR NEW.machine_id IS NOT OLD.machine_id
  OR NEW.minutes <> OLD.minutes OR NEW.level <> OLD.level OR NEW.active <> OLD.active
BEGIN
  UPDATE alerts SET status = 'resolved', resolved_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), due_at = NULL
  WHERE rule_id = OLD.id AND status <> 'resolved';
END;
