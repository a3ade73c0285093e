-- What an operator watches is counted from small indexes, whatever else the rows hold.
CREATE INDEX machines_by_status ON machines (status, is_connected);
CREATE INDEX users_kept ON users (role) WHERE deleted_at IS NULL;
CREATE INDEX organizations_by_state ON organizations (disabled_at);
CREATE INDEX recordings_unfinished ON recordings (session_id) WHERE state = 'recording';
