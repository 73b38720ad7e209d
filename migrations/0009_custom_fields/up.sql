-- Fields that a tenant adds to its records: how they are defined, the values beside each record, and the values again
-- as rows of their own, by which records are found and sorted.
ALTER TABLE products ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE pipelines ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE stages ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE opportunities ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE segments ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE teams ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE service_accounts ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE notes ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE documents ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE customers ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE relationships ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE business_hours ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE sla_policies ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE tickets ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE interactions ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE tasks ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';
ALTER TABLE appointments ADD COLUMN custom jsonb NOT NULL DEFAULT '{}';

CREATE TABLE custom_fields (
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
  custom jsonb NOT NULL,
  resource text NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  description text,
  value_type text NOT NULL,
  options jsonb NOT NULL,
  target text,
  required boolean NOT NULL,
  archived boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX custom_fields_by_created_at ON custom_fields (tenant_id, created_at, id);
CREATE INDEX custom_fields_by_updated_at ON custom_fields (tenant_id, updated_at, id);
CREATE INDEX custom_fields_by_owner_id ON custom_fields (tenant_id, owner_id, id);
CREATE INDEX custom_fields_by_team_id ON custom_fields (tenant_id, team_id, id);
CREATE INDEX custom_fields_by_name ON custom_fields (tenant_id, name, id);
CREATE UNIQUE INDEX custom_fields_by_key ON custom_fields (tenant_id, resource, key) WHERE deleted_at IS NULL;

-- One value of one record each; the column says its type. Choices of several stand in record_values.
CREATE TABLE custom_values (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  field text NOT NULL,
  record_id uuid NOT NULL,
  text text,
  number bigint,
  currency text,
  minor bigint,
  day date,
  flag boolean,
  reference uuid,
  PRIMARY KEY (tenant_id, kind, record_id, field)
);
CREATE INDEX custom_values_by_text ON custom_values (tenant_id, kind, field, text, record_id) WHERE text IS NOT NULL;
CREATE INDEX custom_values_by_number ON custom_values (tenant_id, kind, field, number, record_id) WHERE number IS NOT NULL;
CREATE INDEX custom_values_by_amount ON custom_values (tenant_id, kind, field, currency, minor, record_id)
  WHERE minor IS NOT NULL;
CREATE INDEX custom_values_by_day ON custom_values (tenant_id, kind, field, day, record_id) WHERE day IS NOT NULL;
CREATE INDEX custom_values_by_flag ON custom_values (tenant_id, kind, field, flag, record_id) WHERE flag IS NOT NULL;
CREATE INDEX custom_values_by_reference ON custom_values (tenant_id, kind, field, reference, record_id)
  WHERE reference IS NOT NULL;
