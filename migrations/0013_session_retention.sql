-- Closed sessions are kept for a while and then removed, oldest first; what happened stays in the audit log.
CREATE INDEX terminal_sessions_ended ON terminal_sessions (ended_at) WHERE status = 'closed';
