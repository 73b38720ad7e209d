-- Sets of customers.
CREATE TABLE segments (
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
  kind text NOT NULL,
  rule jsonb,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX segments_by_created_at ON segments (tenant_id, created_at, id);
CREATE INDEX segments_by_updated_at ON segments (tenant_id, updated_at, id);
CREATE INDEX segments_by_owner_id ON segments (tenant_id, owner_id, id);
CREATE INDEX segments_by_team_id ON segments (tenant_id, team_id, id);
CREATE INDEX segments_by_name ON segments (tenant_id, name, id);

-- Who is in which segment.
CREATE TABLE segment_members (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  segment_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  entered_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, segment_id, customer_id),
  FOREIGN KEY (tenant_id, segment_id) REFERENCES segments (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX segment_members_by_customer_id ON segment_members (tenant_id, customer_id);

-- When the rule of a segment must be applied to all customers, and how far that has come.
CREATE TABLE segment_refreshes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  segment_id uuid NOT NULL,
  due_at timestamptz,
  done_to uuid,
  refreshed_at timestamptz,
  PRIMARY KEY (tenant_id, segment_id),
  FOREIGN KEY (tenant_id, segment_id) REFERENCES segments (tenant_id, id)
);
CREATE INDEX segment_refreshes_by_due_at ON segment_refreshes (tenant_id, due_at);

-- How far the dynamic segments of a tenant have followed the log of events.
CREATE TABLE segment_cursors (
  tenant_id uuid NOT NULL PRIMARY KEY REFERENCES tenants (id),
  position bigint NOT NULL,
  last_event uuid NOT NULL
);
