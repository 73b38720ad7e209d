-- The folded text of each record, with a trigram index kept in step by triggers
-- (https://www.sqlite.org/fts5.html#external_content_tables).
CREATE TABLE search_texts (
  row integer PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  record_id uuid NOT NULL,
  text text NOT NULL,
  UNIQUE (tenant_id, kind, record_id)
);
CREATE VIRTUAL TABLE search_index USING fts5 (text, content = 'search_texts', content_rowid = 'row', tokenize = 'trigram', detail = 'full');
CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN
  INSERT INTO search_index (rowid, text) VALUES (new.row, new.text);
END;
CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN
  INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', old.row, old.text);
END;
CREATE TRIGGER search_texts_updated AFTER UPDATE ON search_texts BEGIN
  INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', old.row, old.text);
  INSERT INTO search_index (rowid, text) VALUES (new.row, new.text);
END;

-- How far the positions of events have been given out: one row, written in every commit.
CREATE TABLE event_clock (
  position bigint NOT NULL PRIMARY KEY
);
INSERT INTO event_clock (position) VALUES (0);
