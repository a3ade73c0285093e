-- What commands may run: lists of programs as JSON, of an organization and of a machine. A command must pass both.
ALTER TABLE organizations ADD COLUMN command_policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE machines ADD COLUMN command_policy TEXT NOT NULL DEFAULT '{}';

-- What the lists had against a command: it was typed in a terminal, where they only warn, or it was sent and refused.
ALTER TABLE command_logs ADD COLUMN policy TEXT CHECK (policy IN ('warned', 'refused'));
