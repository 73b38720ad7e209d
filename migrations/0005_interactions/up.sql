-- Every contact with a customer.
CREATE TABLE interactions (
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
  channel text NOT NULL,
  direction text,
  customer_id uuid,
  subject text,
  body text,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text,
  sentiment text,
  thread text,
  network text,
  handle text,
  url text,
  participants jsonb NOT NULL,
  links jsonb NOT NULL,
  answered_at timestamptz,
  duration_seconds bigint,
  message_count bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX interactions_by_created_at ON interactions (tenant_id, created_at, id);
CREATE INDEX interactions_by_updated_at ON interactions (tenant_id, updated_at, id);
CREATE INDEX interactions_by_owner_id ON interactions (tenant_id, owner_id, id);
CREATE INDEX interactions_by_team_id ON interactions (tenant_id, team_id, id);
CREATE INDEX interactions_by_customer_id ON interactions (tenant_id, customer_id, started_at, id);
CREATE INDEX interactions_by_started_at ON interactions (tenant_id, started_at, id);
CREATE INDEX interactions_by_thread ON interactions (tenant_id, thread, id);

-- What the interactions of each customer amount to.
CREATE TABLE customer_activity (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  customer_id uuid NOT NULL,
  last_interaction_at timestamptz,
  interaction_count bigint NOT NULL,
  call_count bigint NOT NULL,
  email_count bigint NOT NULL,
  meeting_count bigint NOT NULL,
  visit_count bigint NOT NULL,
  chat_count bigint NOT NULL,
  sms_count bigint NOT NULL,
  fax_count bigint NOT NULL,
  web_count bigint NOT NULL,
  social_count bigint NOT NULL,
  note_count bigint NOT NULL,
  PRIMARY KEY (tenant_id, customer_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX customer_activity_by_last_interaction_at ON customer_activity (tenant_id, last_interaction_at, customer_id);

-- The events of other systems that were taken in, so that each counts once.
CREATE TABLE inbound_events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  source text NOT NULL,
  event_id text NOT NULL,
  interaction_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, source, event_id)
);
CREATE INDEX inbound_events_by_received_at ON inbound_events (tenant_id, received_at);
