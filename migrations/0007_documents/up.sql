-- Files that belong to records of any kind. Their content stands in the store of documents.
CREATE TABLE documents (
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
  name text NOT NULL,
  description text,
  content_version bigint NOT NULL,
  content_type text,
  size bigint,
  sha256 text,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX documents_by_created_at ON documents (tenant_id, created_at, id);
CREATE INDEX documents_by_updated_at ON documents (tenant_id, updated_at, id);
CREATE INDEX documents_by_owner_id ON documents (tenant_id, owner_id, id);
CREATE INDEX documents_by_team_id ON documents (tenant_id, team_id, id);
CREATE INDEX documents_by_subject_id ON documents (tenant_id, subject_id, id);
CREATE INDEX documents_by_name ON documents (tenant_id, name, id);
CREATE INDEX documents_by_content_type ON documents (tenant_id, content_type, id);
CREATE INDEX documents_by_size ON documents (tenant_id, size, id);
CREATE INDEX documents_by_sha256 ON documents (tenant_id, sha256, id);

-- Every content that a document has had, and the object that holds it.
CREATE TABLE document_versions (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  id uuid NOT NULL,
  number bigint NOT NULL,
  object uuid NOT NULL,
  content_type text NOT NULL,
  size bigint NOT NULL,
  sha256 text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by uuid,
  PRIMARY KEY (tenant_id, document_id, id),
  FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id)
);
CREATE UNIQUE INDEX document_versions_by_number ON document_versions (tenant_id, document_id, number);
CREATE UNIQUE INDEX document_versions_by_object ON document_versions (tenant_id, object);

-- Objects that nothing names any longer, until they are removed from the store of documents.
CREATE TABLE document_removals (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  object uuid NOT NULL,
  PRIMARY KEY (tenant_id, object)
);
