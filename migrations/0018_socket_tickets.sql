-- What opens one terminal of a browser, once, within seconds: the address of a socket is kept in logs and histories, where a token
-- that works for a day does not belong.
CREATE TABLE socket_tickets (
  -- Of the ticket, which nobody but the browser has.
  digest TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The machine it is for.
  agent_id TEXT NOT NULL,
  -- What the token said that it was made with: what ends that, ends the ticket.
  sign_in TEXT NOT NULL,
  token_version INTEGER NOT NULL,
  source TEXT NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX socket_tickets_by_user ON socket_tickets (user_id);
CREATE INDEX socket_tickets_by_expiry ON socket_tickets (expires_at);
