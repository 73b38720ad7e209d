-- What is written together with a record is of the record's tenant, the record's own row names one that is there, and tenants
-- are never removed. To ask for the tenant again with each of a dozen rows was a fifth of what PostgreSQL did for a new
-- customer. Events come last, as in the writes of instances that may be at work.
ALTER TABLE custom_values DROP CONSTRAINT custom_values_tenant_id_fkey;
ALTER TABLE customer_activity DROP CONSTRAINT customer_activity_tenant_id_fkey;
ALTER TABLE external_ids DROP CONSTRAINT external_ids_tenant_id_fkey;
ALTER TABLE lifecycle_changes DROP CONSTRAINT lifecycle_changes_tenant_id_fkey;
ALTER TABLE record_values DROP CONSTRAINT record_values_tenant_id_fkey;
ALTER TABLE search_texts DROP CONSTRAINT search_texts_tenant_id_fkey;
ALTER TABLE segment_members DROP CONSTRAINT segment_members_tenant_id_fkey;
ALTER TABLE stage_changes DROP CONSTRAINT stage_changes_tenant_id_fkey;
ALTER TABLE events DROP CONSTRAINT events_tenant_id_fkey;
