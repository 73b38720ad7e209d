-- When teams are at work.
CREATE TABLE business_hours (
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
  time_zone text NOT NULL,
  openings jsonb NOT NULL,
  holidays jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX business_hours_by_created_at ON business_hours (tenant_id, created_at, id);
CREATE INDEX business_hours_by_updated_at ON business_hours (tenant_id, updated_at, id);
CREATE INDEX business_hours_by_owner_id ON business_hours (tenant_id, owner_id, id);
CREATE INDEX business_hours_by_team_id ON business_hours (tenant_id, team_id, id);
CREATE INDEX business_hours_by_name ON business_hours (tenant_id, name, id);

-- By when tickets are to be answered and solved.
CREATE TABLE sla_policies (
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
  position integer NOT NULL,
  active boolean NOT NULL,
  conditions jsonb NOT NULL,
  business_hours_id uuid,
  targets jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, business_hours_id) REFERENCES business_hours (tenant_id, id)
);
CREATE INDEX sla_policies_by_created_at ON sla_policies (tenant_id, created_at, id);
CREATE INDEX sla_policies_by_updated_at ON sla_policies (tenant_id, updated_at, id);
CREATE INDEX sla_policies_by_owner_id ON sla_policies (tenant_id, owner_id, id);
CREATE INDEX sla_policies_by_team_id ON sla_policies (tenant_id, team_id, id);
CREATE INDEX sla_policies_by_name ON sla_policies (tenant_id, name, id);
CREATE INDEX sla_policies_by_position ON sla_policies (tenant_id, position, id);
CREATE INDEX sla_policies_by_business_hours_id ON sla_policies (tenant_id, business_hours_id, id);

-- Matters that customers bring.
CREATE TABLE tickets (
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
  subject text NOT NULL,
  description text,
  kind text NOT NULL,
  status text NOT NULL,
  priority text NOT NULL,
  queue text,
  assignee_id uuid,
  customer_id uuid,
  requester_id uuid,
  channel text,
  watcher_ids jsonb NOT NULL,
  links jsonb NOT NULL,
  complaint jsonb NOT NULL,
  number bigint NOT NULL,
  due_at timestamptz,
  response_due_at timestamptz,
  resolution_due_at timestamptz,
  breached boolean NOT NULL,
  progress jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, assignee_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, requester_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX tickets_by_created_at ON tickets (tenant_id, created_at, id);
CREATE INDEX tickets_by_updated_at ON tickets (tenant_id, updated_at, id);
CREATE INDEX tickets_by_owner_id ON tickets (tenant_id, owner_id, id);
CREATE INDEX tickets_by_team_id ON tickets (tenant_id, team_id, id);
CREATE INDEX tickets_by_status ON tickets (tenant_id, status, id);
CREATE INDEX tickets_by_priority ON tickets (tenant_id, priority, id);
CREATE INDEX tickets_by_queue ON tickets (tenant_id, queue, id);
CREATE INDEX tickets_by_assignee_id ON tickets (tenant_id, assignee_id, id);
CREATE INDEX tickets_by_customer_id ON tickets (tenant_id, customer_id, id);
CREATE INDEX tickets_by_requester_id ON tickets (tenant_id, requester_id, id);
CREATE INDEX tickets_by_due_at ON tickets (tenant_id, due_at, id);
CREATE INDEX tickets_by_response_due_at ON tickets (tenant_id, response_due_at, id);
CREATE INDEX tickets_by_resolution_due_at ON tickets (tenant_id, resolution_due_at, id);
CREATE INDEX tickets_by_breached ON tickets (tenant_id, breached, id);
CREATE INDEX tickets_by_number ON tickets (tenant_id, number, id);

CREATE UNIQUE INDEX tickets_number ON tickets (tenant_id, number);

-- What is said in tickets.
CREATE TABLE ticket_comments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  ticket_id uuid NOT NULL,
  id uuid NOT NULL,
  body text NOT NULL,
  public boolean NOT NULL,
  customer_id uuid,
  created_at timestamptz NOT NULL,
  created_by uuid,
  PRIMARY KEY (tenant_id, ticket_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX ticket_comments_by_customer_id ON ticket_comments (tenant_id, customer_id, id);

-- When the clocks of a ticket must be looked at next; no row while none runs.
CREATE TABLE ticket_alarms (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  ticket_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CREATE INDEX ticket_alarms_by_due_at ON ticket_alarms (tenant_id, due_at, ticket_id);

-- The last number that a tenant gave to a ticket.
CREATE TABLE ticket_numbers (
  tenant_id uuid NOT NULL PRIMARY KEY REFERENCES tenants (id),
  last bigint NOT NULL
);
