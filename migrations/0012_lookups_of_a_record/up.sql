-- Ids are of one record whatever its kind. With the kind in them, these indexes began like the primary keys, and
-- PostgreSQL, which knows nothing yet of a table that has just been filled, took them for a search by value: it read all
-- values of all customers for each.
DROP INDEX record_values_by_record;
CREATE INDEX record_values_by_record ON record_values (tenant_id, record_id);
DROP INDEX external_ids_by_record;
CREATE INDEX external_ids_by_record ON external_ids (tenant_id, record_id);
