-- What somebody is to do.
CREATE TABLE tasks (
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
  priority text NOT NULL,
  status text NOT NULL,
  due_on date,
  due_at timestamptz,
  time_zone text,
  remind_at timestamptz,
  recurrence text,
  customer_id uuid,
  previous_task_id uuid,
  links jsonb NOT NULL,
  done_at timestamptz,
  deadline_at timestamptz,
  overdue boolean NOT NULL,
  next_reminder_at timestamptz,
  wakes_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, previous_task_id) REFERENCES tasks (tenant_id, id)
);
CREATE INDEX tasks_by_created_at ON tasks (tenant_id, created_at, id);
CREATE INDEX tasks_by_updated_at ON tasks (tenant_id, updated_at, id);
CREATE INDEX tasks_by_owner_id ON tasks (tenant_id, owner_id, id);
CREATE INDEX tasks_by_team_id ON tasks (tenant_id, team_id, id);
CREATE INDEX tasks_by_customer_id ON tasks (tenant_id, customer_id, id);
CREATE INDEX tasks_by_previous_task_id ON tasks (tenant_id, previous_task_id, id);
CREATE INDEX tasks_by_subject ON tasks (tenant_id, subject, id);
CREATE INDEX tasks_by_status ON tasks (tenant_id, status, id);
CREATE INDEX tasks_by_deadline_at ON tasks (tenant_id, deadline_at, id);
CREATE INDEX tasks_by_done_at ON tasks (tenant_id, done_at, id);
CREATE INDEX tasks_by_overdue ON tasks (tenant_id, overdue, id);
CREATE INDEX tasks_by_wakes_at ON tasks (tenant_id, wakes_at, id);

-- When people meet.
CREATE TABLE appointments (
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
  location text,
  starts_at timestamptz,
  ends_at timestamptz,
  starts_on date,
  ends_on date,
  time_zone text,
  status text NOT NULL,
  show_as text NOT NULL,
  participants jsonb NOT NULL,
  reminders jsonb NOT NULL,
  recurrence text,
  except_on jsonb NOT NULL,
  customer_id uuid,
  links jsonb NOT NULL,
  first_starts_at timestamptz NOT NULL,
  last_ends_at timestamptz,
  next_reminder_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX appointments_by_created_at ON appointments (tenant_id, created_at, id);
CREATE INDEX appointments_by_updated_at ON appointments (tenant_id, updated_at, id);
CREATE INDEX appointments_by_owner_id ON appointments (tenant_id, owner_id, id);
CREATE INDEX appointments_by_team_id ON appointments (tenant_id, team_id, id);
CREATE INDEX appointments_by_customer_id ON appointments (tenant_id, customer_id, id);
CREATE INDEX appointments_by_subject ON appointments (tenant_id, subject, id);
CREATE INDEX appointments_by_first_starts_at ON appointments (tenant_id, first_starts_at, id);
CREATE INDEX appointments_by_last_ends_at ON appointments (tenant_id, last_ends_at, id);
CREATE INDEX appointments_by_next_reminder_at ON appointments (tenant_id, next_reminder_at, id);

-- The secret addresses under which users read their calendars. Only a hash of each is kept.
CREATE TABLE calendar_feeds (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  name text NOT NULL,
  hash text NOT NULL,
  prefix text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX calendar_feeds_by_user_id ON calendar_feeds (tenant_id, user_id, id);
CREATE UNIQUE INDEX calendar_feeds_by_hash ON calendar_feeds (tenant_id, hash);
