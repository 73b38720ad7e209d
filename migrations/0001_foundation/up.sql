-- One company's data. Everything else belongs to exactly one tenant and leads its keys with it.
CREATE TABLE tenants (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  currency text NOT NULL,
  time_zone text NOT NULL,
  require_if_match boolean NOT NULL,
  created_at timestamptz NOT NULL
);

-- Groups of users.
CREATE TABLE teams (
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
  parent_id uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX teams_by_created_at ON teams (tenant_id, created_at, id);
CREATE INDEX teams_by_updated_at ON teams (tenant_id, updated_at, id);
CREATE INDEX teams_by_owner_id ON teams (tenant_id, owner_id, id);
CREATE INDEX teams_by_team_id ON teams (tenant_id, team_id, id);
CREATE INDEX teams_by_parent_id ON teams (tenant_id, parent_id, id);
CREATE INDEX teams_by_name ON teams (tenant_id, name, id);

-- People who log in.
CREATE TABLE users (
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
  email text,
  role text NOT NULL,
  record_rule text,
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX users_by_created_at ON users (tenant_id, created_at, id);
CREATE INDEX users_by_updated_at ON users (tenant_id, updated_at, id);
CREATE INDEX users_by_owner_id ON users (tenant_id, owner_id, id);
CREATE INDEX users_by_team_id ON users (tenant_id, team_id, id);
CREATE INDEX users_by_name ON users (tenant_id, name, id);
CREATE INDEX users_by_role ON users (tenant_id, role, id);

-- Programs that log in.
CREATE TABLE service_accounts (
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
  role text NOT NULL,
  record_rule text,
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX service_accounts_by_created_at ON service_accounts (tenant_id, created_at, id);
CREATE INDEX service_accounts_by_updated_at ON service_accounts (tenant_id, updated_at, id);
CREATE INDEX service_accounts_by_owner_id ON service_accounts (tenant_id, owner_id, id);
CREATE INDEX service_accounts_by_team_id ON service_accounts (tenant_id, team_id, id);
CREATE INDEX service_accounts_by_name ON service_accounts (tenant_id, name, id);

-- Persons and organisations.
CREATE TABLE customers (
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
  kind text NOT NULL,
  name text NOT NULL,
  given_name text,
  family_name text,
  lifecycle text NOT NULL,
  emails jsonb NOT NULL,
  phones jsonb NOT NULL,
  addresses jsonb NOT NULL,
  handles jsonb NOT NULL,
  language text,
  time_zone text,
  birth_date date,
  demographics jsonb NOT NULL,
  interests jsonb NOT NULL,
  preferences jsonb NOT NULL,
  organisation jsonb NOT NULL,
  lifecycle_since timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX customers_by_created_at ON customers (tenant_id, created_at, id);
CREATE INDEX customers_by_updated_at ON customers (tenant_id, updated_at, id);
CREATE INDEX customers_by_owner_id ON customers (tenant_id, owner_id, id);
CREATE INDEX customers_by_team_id ON customers (tenant_id, team_id, id);
CREATE INDEX customers_by_name ON customers (tenant_id, name, id);
CREATE INDEX customers_by_lifecycle ON customers (tenant_id, lifecycle, id);
CREATE INDEX customers_by_kind ON customers (tenant_id, kind, id);
CREATE INDEX customers_by_birth_date ON customers (tenant_id, birth_date, id);

-- Ties between customers.
CREATE TABLE relationships (
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
  from_id uuid NOT NULL,
  to_id uuid NOT NULL,
  role text NOT NULL,
  title text,
  started_on date,
  ended_on date,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, from_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, to_id) REFERENCES customers (tenant_id, id)
);
CREATE INDEX relationships_by_created_at ON relationships (tenant_id, created_at, id);
CREATE INDEX relationships_by_updated_at ON relationships (tenant_id, updated_at, id);
CREATE INDEX relationships_by_owner_id ON relationships (tenant_id, owner_id, id);
CREATE INDEX relationships_by_team_id ON relationships (tenant_id, team_id, id);
CREATE INDEX relationships_by_from_id ON relationships (tenant_id, from_id, id);
CREATE INDEX relationships_by_to_id ON relationships (tenant_id, to_id, id);
CREATE INDEX relationships_by_role ON relationships (tenant_id, role, id);

-- Things that are sold.
CREATE TABLE products (
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
  sku text,
  description text,
  category text,
  unit_price_minor bigint,
  unit_price_currency text,
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX products_by_created_at ON products (tenant_id, created_at, id);
CREATE INDEX products_by_updated_at ON products (tenant_id, updated_at, id);
CREATE INDEX products_by_owner_id ON products (tenant_id, owner_id, id);
CREATE INDEX products_by_team_id ON products (tenant_id, team_id, id);
CREATE INDEX products_by_name ON products (tenant_id, name, id);
CREATE INDEX products_by_sku ON products (tenant_id, sku, id);
CREATE INDEX products_by_category ON products (tenant_id, category, id);

-- Ordered ways of selling.
CREATE TABLE pipelines (
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
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX pipelines_by_created_at ON pipelines (tenant_id, created_at, id);
CREATE INDEX pipelines_by_updated_at ON pipelines (tenant_id, updated_at, id);
CREATE INDEX pipelines_by_owner_id ON pipelines (tenant_id, owner_id, id);
CREATE INDEX pipelines_by_team_id ON pipelines (tenant_id, team_id, id);
CREATE INDEX pipelines_by_name ON pipelines (tenant_id, name, id);

-- Steps of pipelines.
CREATE TABLE stages (
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
  pipeline_id uuid NOT NULL,
  name text NOT NULL,
  position integer NOT NULL,
  kind text NOT NULL,
  probability integer NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines (tenant_id, id)
);
CREATE INDEX stages_by_created_at ON stages (tenant_id, created_at, id);
CREATE INDEX stages_by_updated_at ON stages (tenant_id, updated_at, id);
CREATE INDEX stages_by_owner_id ON stages (tenant_id, owner_id, id);
CREATE INDEX stages_by_team_id ON stages (tenant_id, team_id, id);
CREATE INDEX stages_by_pipeline_id ON stages (tenant_id, pipeline_id, id);
CREATE INDEX stages_by_name ON stages (tenant_id, name, id);

-- Possible sales.
CREATE TABLE opportunities (
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
  customer_id uuid,
  pipeline_id uuid NOT NULL,
  stage_id uuid NOT NULL,
  amount_minor bigint,
  amount_currency text,
  probability integer,
  expected_close_on date,
  opened_on date,
  closed_on date,
  channel text,
  close_reason text,
  lines jsonb NOT NULL,
  contacts jsonb NOT NULL,
  competitors jsonb NOT NULL,
  status text NOT NULL,
  stage_entered_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines (tenant_id, id),
  FOREIGN KEY (tenant_id, stage_id) REFERENCES stages (tenant_id, id)
);
CREATE INDEX opportunities_by_created_at ON opportunities (tenant_id, created_at, id);
CREATE INDEX opportunities_by_updated_at ON opportunities (tenant_id, updated_at, id);
CREATE INDEX opportunities_by_owner_id ON opportunities (tenant_id, owner_id, id);
CREATE INDEX opportunities_by_team_id ON opportunities (tenant_id, team_id, id);
CREATE INDEX opportunities_by_customer_id ON opportunities (tenant_id, customer_id, id);
CREATE INDEX opportunities_by_pipeline_id ON opportunities (tenant_id, pipeline_id, id);
CREATE INDEX opportunities_by_stage_id ON opportunities (tenant_id, stage_id, id);
CREATE INDEX opportunities_by_name ON opportunities (tenant_id, name, id);
CREATE INDEX opportunities_by_status ON opportunities (tenant_id, status, id);
CREATE INDEX opportunities_by_expected_close_on ON opportunities (tenant_id, expected_close_on, id);
CREATE INDEX opportunities_by_closed_on ON opportunities (tenant_id, closed_on, id);
CREATE INDEX opportunities_by_amount_currency_amount_minor ON opportunities (tenant_id, amount_currency, amount_minor, id);

-- The values of multi-valued fields (tags, e-mail addresses, ...), one row each, for finding records by them.
CREATE TABLE record_values (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  field text NOT NULL,
  value text NOT NULL,
  record_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, kind, field, value, record_id)
);
CREATE INDEX record_values_by_record ON record_values (tenant_id, kind, record_id);

-- The ids that other systems know a record by.
CREATE TABLE external_ids (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  system text NOT NULL,
  external_id text NOT NULL,
  record_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, kind, system, external_id)
);
CREATE INDEX external_ids_by_record ON external_ids (tenant_id, kind, record_id);

-- How a customer went from stage to stage of its lifecycle.
CREATE TABLE lifecycle_changes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  from_stage text,
  to_stage text NOT NULL,
  reason text,
  changed_at timestamptz NOT NULL,
  changed_by uuid,
  PRIMARY KEY (tenant_id, customer_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);

-- How an opportunity went from stage to stage; the open entry has no left_at.
CREATE TABLE stage_changes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  opportunity_id uuid NOT NULL,
  id uuid NOT NULL,
  stage_id uuid NOT NULL,
  entered_at timestamptz NOT NULL,
  left_at timestamptz,
  changed_by uuid,
  PRIMARY KEY (tenant_id, opportunity_id, id),
  FOREIGN KEY (tenant_id, opportunity_id) REFERENCES opportunities (tenant_id, id),
  FOREIGN KEY (tenant_id, stage_id) REFERENCES stages (tenant_id, id)
);
CREATE INDEX stage_changes_by_stage_id ON stage_changes (tenant_id, stage_id, id);

-- Every change, in commit order. Nothing else announces a change.
CREATE TABLE events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  position bigint NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  occurred_at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid,
  subject_type text NOT NULL,
  subject_id uuid NOT NULL,
  version bigint NOT NULL,
  changes jsonb NOT NULL,
  request_id text,
  PRIMARY KEY (tenant_id, position, id)
);
CREATE INDEX events_by_subject_id ON events (tenant_id, subject_id, position);

-- Answers kept so that a repeated request has one effect.
CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  principal_id uuid NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  created_at timestamptz NOT NULL,
  status integer NOT NULL,
  headers jsonb NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant_id, principal_id, method, path, key)
);
CREATE INDEX idempotency_keys_by_created_at ON idempotency_keys (tenant_id, created_at);

-- How users prove who they are: an Argon2id string.
CREATE TABLE passwords (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  user_id uuid NOT NULL,
  hash text NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- How service accounts prove who they are: the SHA-256 of a random secret.
CREATE TABLE client_secrets (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  service_account_id uuid NOT NULL,
  hash text NOT NULL,
  prefix text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, service_account_id) REFERENCES service_accounts (tenant_id, id)
);
CREATE INDEX client_secrets_by_service_account_id ON client_secrets (tenant_id, service_account_id, id);

-- Log-ins: the families of refresh tokens (RFC 9700 section 4.14).
CREATE TABLE sessions (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  principal_id uuid NOT NULL,
  scope text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sessions_by_principal_id ON sessions (tenant_id, principal_id, id);
CREATE INDEX sessions_by_expires_at ON sessions (tenant_id, expires_at, id);

-- Each refresh token of a session; used once.
CREATE TABLE refresh_tokens (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  hash text NOT NULL,
  session_id uuid NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant_id, hash),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);
CREATE INDEX refresh_tokens_by_session_id ON refresh_tokens (tenant_id, session_id);
CREATE INDEX refresh_tokens_by_expires_at ON refresh_tokens (tenant_id, expires_at);

-- Failed log-ins by what was tried and from where; not of any tenant, since none is known before the log-in.
CREATE TABLE login_failures (
  account text NOT NULL,
  address text NOT NULL,
  failures integer NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (account, address)
);
CREATE INDEX login_failures_by_last_at ON login_failures (last_at);

-- How far each tenant's event log has been trimmed; a cursor before that has expired.
CREATE TABLE event_retention (
  tenant_id uuid NOT NULL PRIMARY KEY REFERENCES tenants (id),
  trimmed_to bigint NOT NULL
);

-- A login names only an address: it is looked up over all tenants.
CREATE INDEX users_by_email_anywhere ON users (email);
CREATE UNIQUE INDEX users_by_email ON users (tenant_id, email);
CREATE INDEX stages_by_pipeline_id_position ON stages (tenant_id, pipeline_id, position, id);
CREATE INDEX stages_by_position ON stages (tenant_id, position, id);
CREATE UNIQUE INDEX stages_by_pipeline_and_name ON stages (tenant_id, pipeline_id, name) WHERE deleted_at IS NULL;
