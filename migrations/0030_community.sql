-- The issues of an organization, and how its people fixed them.

CREATE TABLE issues (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What it is about, if it is about a machine that is there still.
  machine_id TEXT REFERENCES machines (id) ON DELETE SET NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'in_progress', 'resolved', 'closed')),
  -- JSON arrays: words, and the addresses of pictures.
  tags TEXT NOT NULL DEFAULT '[]',
  images TEXT NOT NULL DEFAULT '[]',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX issues_by_organization ON issues (organization_id, created_at);
CREATE INDEX issues_by_author ON issues (author_id);
CREATE INDEX issues_by_machine ON issues (machine_id) WHERE machine_id IS NOT NULL;

CREATE TABLE fixes (
  id TEXT PRIMARY KEY,
  issue_id TEXT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  content TEXT NOT NULL,
  images TEXT NOT NULL DEFAULT '[]',
  accepted INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX fixes_by_issue ON fixes (issue_id, created_at);
CREATE INDEX fixes_by_author ON fixes (author_id);
-- An issue is fixed by one of them.
CREATE UNIQUE INDEX fixes_accepted ON fixes (issue_id) WHERE accepted = 1;

CREATE TABLE fix_likes (
  fix_id TEXT NOT NULL REFERENCES fixes (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (fix_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fix_likes_by_user ON fix_likes (user_id);

-- Who has the same issue.
CREATE TABLE issue_votes (
  issue_id TEXT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (issue_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_votes_by_user ON issue_votes (user_id);

CREATE TABLE issue_comments (
  id TEXT PRIMARY KEY,
  issue_id TEXT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
  author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  content TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX issue_comments_by_issue ON issue_comments (issue_id, created_at);
CREATE INDEX issue_comments_by_author ON issue_comments (author_id);

-- Pictures in the bucket. A row outlives what shows it, until the object is removed.
CREATE TABLE community_images (
  id TEXT PRIMARY KEY,
  -- The account that sent it.
  uploader_id TEXT NOT NULL,
  issue_id TEXT REFERENCES issues (id) ON DELETE SET NULL,
  fix_id TEXT REFERENCES fixes (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX community_images_by_issue ON community_images (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX community_images_by_fix ON community_images (fix_id) WHERE fix_id IS NOT NULL;
-- What nothing shows: just sent, or left behind.
CREATE INDEX community_images_unused ON community_images (created_at) WHERE issue_id IS NULL AND fix_id IS NULL;
-- How many somebody has sent that nothing shows.
CREATE INDEX community_images_by_uploader ON community_images (uploader_id) WHERE issue_id IS NULL AND fix_id IS NULL;
