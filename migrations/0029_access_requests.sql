-- Machines that people ask for, and what was decided. A request that was approved lets whoever asked use the machine until its
-- time is over.
CREATE TABLE access_requests (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  requester_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  note TEXT NOT NULL DEFAULT '',
  -- Whether privileges for shells are asked for, besides what the account has anyway.
  sudo INTEGER NOT NULL DEFAULT 0,
  -- From the approval on; 0 has no end.
  duration_hours INTEGER NOT NULL CHECK (duration_hours BETWEEN 0 AND 8760),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected', 'expired', 'revoked')),
  -- Accounts: who decided, and who took it back.
  approved_by TEXT,
  approved_at TEXT,
  expires_at TEXT,
  rejected_by TEXT,
  reject_comment TEXT NOT NULL DEFAULT '',
  revoked_by TEXT,
  revoked_at TEXT,
  requested_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- Nobody asks for a machine twice before it is decided.
CREATE UNIQUE INDEX access_requests_pending ON access_requests (machine_id, requester_id) WHERE status = 'pending';
-- Who reaches a machine by them.
CREATE INDEX access_requests_approved ON access_requests (machine_id, requester_id) WHERE status = 'approved';
-- Those whose time is over.
CREATE INDEX access_requests_by_expiry ON access_requests (expires_at) WHERE status = 'approved' AND expires_at IS NOT NULL;
-- Lists, newest first: of one person, of a machine, of an organization.
CREATE INDEX access_requests_by_requester ON access_requests (requester_id, requested_at);
CREATE INDEX access_requests_by_machine ON access_requests (machine_id, requested_at);
CREATE INDEX access_requests_by_status ON access_requests (organization_id, status, requested_at);
