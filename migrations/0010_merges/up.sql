-- Customers that were taken into others. While a merge is not undone, the merged customer is a deleted one that its old
-- id still leads away from.
CREATE TABLE customer_merges (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  survivor_id uuid NOT NULL,
  merged_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  created_by uuid,
  moved jsonb NOT NULL,
  changes jsonb NOT NULL,
  undone_at timestamptz,
  undone_by uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, survivor_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, merged_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX customer_merges_by_survivor_id ON customer_merges (tenant_id, survivor_id, id);
CREATE INDEX customer_merges_by_merged_id ON customer_merges (tenant_id, merged_id, id);
-- Nobody is merged twice.
CREATE UNIQUE INDEX customer_merges_of_merged ON customer_merges (tenant_id, merged_id) WHERE undone_at IS NULL;

-- What a merge moved to the survivor, a row for each record; gone once the merge is undone. `places` names the columns
-- in which the record named the merged customer, `version` is the record's after the merge, and `changes` holds what was
-- changed in a record that named both customers.
CREATE TABLE customer_merge_moves (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  merge_id uuid NOT NULL,
  source text NOT NULL,
  record_id uuid NOT NULL,
  version bigint NOT NULL,
  places text NOT NULL,
  changes jsonb,
  PRIMARY KEY (tenant_id, merge_id, source, record_id),
  FOREIGN KEY (tenant_id, merge_id) REFERENCES customer_merges (tenant_id, id)
);
CREATE INDEX customer_merge_moves_by_record_id ON customer_merge_moves (tenant_id, record_id);
