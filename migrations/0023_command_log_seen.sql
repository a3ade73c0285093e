-- How it is known that a command was run: the shell said so or it was sent, its hooks noticed something that nobody had announced, or the
-- terminal showed it where there are no hooks.
ALTER TABLE command_logs ADD COLUMN seen TEXT NOT NULL DEFAULT 'announced' CHECK (seen IN ('announced', 'unannounced', 'screen'));
