-- A third choice of who gets a code by mail: `ui`, those who sign in with a browser. A check cannot be changed in place, and making
-- the table anew would take all rows that refer to it along.
ALTER TABLE organizations ADD COLUMN otp_policy TEXT NOT NULL DEFAULT 'off' CHECK (otp_policy IN ('off', 'ui', 'on'));
UPDATE organizations SET otp_policy = otp;
ALTER TABLE organizations DROP COLUMN otp;
ALTER TABLE organizations RENAME COLUMN otp_policy TO otp;
