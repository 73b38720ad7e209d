-- Teams are made before users, so the foreign key of their owner comes last. SQLite adds one only by making the table anew.
DROP TABLE teams;
CREATE TABLE teams (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  owner_id uuid,
  team_id uuid,
  tags jsonb NOT NULL,
  external_ids jsonb NOT NULL,
  name text NOT NULL,
  description text,
  parent_id uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX teams_by_created_at ON teams (tenant_id, created_at, id);
CREATE INDEX teams_by_updated_at ON teams (tenant_id, updated_at, id);
CREATE INDEX teams_by_owner_id ON teams (tenant_id, owner_id, id);
CREATE INDEX teams_by_team_id ON teams (tenant_id, team_id, id);
CREATE INDEX teams_by_parent_id ON teams (tenant_id, parent_id, id);
CREATE INDEX teams_by_name ON teams (tenant_id, name, id);

-- The folded text of each record, with a trigram index (https://www.sqlite.org/fts5.html#external_content_tables).
CREATE TABLE search_texts (
  row integer PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  record_id uuid NOT NULL,
  text text NOT NULL,
  UNIQUE (tenant_id, kind, record_id)
);
CREATE VIRTUAL TABLE search_index USING fts5 (text, content = 'search_texts', content_rowid = 'row', tokenize = 'trigram', detail = 'full');

-- Which texts the index does not know yet, with the text it knows instead. The writer empties it before each commit:
-- FTS5 writes a segment of the index at every savepoint, so one row after the other would cost many times as much.
CREATE TABLE search_index_queue (
  row integer PRIMARY KEY,
  indexed_text text
);
CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN
  INSERT INTO search_index_queue (row) VALUES (new.row) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN
  INSERT INTO search_index_queue (row, indexed_text) VALUES (old.row, old.text) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_updated AFTER UPDATE OF text ON search_texts BEGIN
  INSERT INTO search_index_queue (row, indexed_text) VALUES (old.row, old.text) ON CONFLICT DO NOTHING;
END;

-- How far the positions of events have been given out: one row, written in every commit.
CREATE TABLE event_clock (
  position bigint NOT NULL PRIMARY KEY
);
INSERT INTO event_clock (position) VALUES (0);
