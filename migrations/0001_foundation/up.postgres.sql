-- Teams are made before users, so their owner's foreign key comes last.
ALTER TABLE teams ADD FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id);

-- The folded text of each record. Where pg_trgm may not be created, searches fall back to a scan.
CREATE TABLE search_texts (
  row bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  record_id uuid NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (tenant_id, kind, record_id)
);
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX search_texts_by_trigram ON search_texts USING gin (text gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
  RAISE NOTICE 'pg_trgm is not available: text search will scan';
END
$$;

-- Events are ordered by the transaction that wrote them, shifted so that positions keep growing
-- after a restore into a cluster whose transaction ids start anew.
CREATE TABLE event_clock (
  shift bigint NOT NULL
);
INSERT INTO event_clock (shift) VALUES (0);
CREATE FUNCTION event_position() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT shift + pg_current_xact_id()::text::bigint FROM event_clock';
-- Every transaction before this position has ended, so nothing can appear below it any more.
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT shift + pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM event_clock';
ALTER TABLE events ALTER COLUMN position SET DEFAULT event_position();

-- Text compares by code point on both databases, so both sort alike and a prefix can use an index.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE "C"', target.table_name, target.column_name);
  END LOOP;
END
$$;
