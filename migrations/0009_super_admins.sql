-- Whether there is a super administrator, without reading everybody.
CREATE INDEX users_super_admins ON users (role) WHERE role = 'super_admin' AND deleted_at IS NULL;
