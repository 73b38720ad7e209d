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
