-- The text index gives its hits in the order of rows. That is the order of ids too, but for rows that came after one of a
-- greater id. With those known, the first records that a search finds can be told without looking at all of its hits.

CREATE TABLE search_latecomers (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  row integer NOT NULL,
  PRIMARY KEY (tenant_id, kind, row)
) WITHOUT ROWID;
INSERT INTO search_latecomers
  SELECT tenant_id, kind, row FROM (
    SELECT tenant_id, kind, row, record_id, max(record_id) OVER (PARTITION BY tenant_id, kind ORDER BY row) AS greatest
    FROM search_texts
  ) WHERE record_id < greatest;
CREATE TRIGGER search_texts_inserted_late AFTER INSERT ON search_texts
WHEN EXISTS (
  SELECT 1 FROM search_texts
  WHERE tenant_id = new.tenant_id AND kind = new.kind AND record_id > new.record_id
) BEGIN
  INSERT INTO search_latecomers (tenant_id, kind, row) VALUES (new.tenant_id, new.kind, new.row);
END;
CREATE TRIGGER search_texts_deleted_late AFTER DELETE ON search_texts BEGIN
  DELETE FROM search_latecomers WHERE tenant_id = old.tenant_id AND kind = old.kind AND row = old.row;
END;

-- A search looks into every segment of the index. The rounds of maintenance merge any two of one size.
INSERT INTO search_index (search_index, rank) VALUES ('usermerge', 2);
