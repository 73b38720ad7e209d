-- What is written together with a record is of the record's tenant, the record's own row names one that is there, and tenants
-- are never removed. SQLite has no statement that drops a constraint, but nothing of a foreign key is stored but its text
-- (https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes). That an index was dropped in
-- this transaction tells other connections to read the schema anew.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, 'tenant_id uuid NOT NULL REFERENCES tenants (id)', 'tenant_id uuid NOT NULL')
WHERE type = 'table' AND name IN (
  'custom_values', 'customer_activity', 'events', 'external_ids', 'lifecycle_changes', 'record_values', 'search_texts',
  'segment_members', 'stage_changes'
);
PRAGMA writable_schema = RESET;

-- The rounds of maintenance merge the segments of the text index, so a commit has to only where they lag behind.
INSERT INTO search_index (search_index, rank) VALUES ('automerge', 8);
