-- What people write down about records of any kind.
CREATE TABLE notes (
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
  subject_type text NOT NULL,
  subject_id uuid NOT NULL,
  body text NOT NULL,
  pinned boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX notes_by_created_at ON notes (tenant_id, created_at, id);
CREATE INDEX notes_by_updated_at ON notes (tenant_id, updated_at, id);
CREATE INDEX notes_by_owner_id ON notes (tenant_id, owner_id, id);
CREATE INDEX notes_by_team_id ON notes (tenant_id, team_id, id);
CREATE INDEX notes_by_subject_id ON notes (tenant_id, subject_id, id);
