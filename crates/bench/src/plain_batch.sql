WITH template AS MATERIALIZED (
  SELECT * FROM customers WHERE tenant_id = $1 AND name >= $2 ORDER BY name LIMIT 1
), new AS MATERIALIZED (
  SELECT number, (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 16, '0') || lpad(to_hex(number), 4, '0')
    || substr(md5(random()::text), 1, 12))::uuid AS id
  FROM generate_series(1, 1000) AS number
), customer AS (
  INSERT INTO customers (tenant_id, id, version, created_at, updated_at, created_by, updated_by, owner_id, team_id, tags,
    external_ids, kind, name, given_name, family_name, lifecycle, emails, phones, addresses, handles, language, time_zone,
    birth_date, demographics, interests, preferences, organisation, lifecycle_since, custom)
  SELECT tenant_id, new.id, 1, now(), now(), created_by, updated_by, owner_id, team_id, tags,
    '[]', kind, name || number, given_name, family_name, lifecycle, emails, phones, addresses, handles, language, time_zone,
    birth_date, demographics, interests, preferences, organisation, now(), custom
  FROM template CROSS JOIN new
), lifecycle_change AS (
  INSERT INTO lifecycle_changes (tenant_id, customer_id, id, to_stage, changed_at, changed_by)
  SELECT tenant_id, new.id, new.id, lifecycle, now(), created_by FROM template CROSS JOIN new
), record_value AS (
  INSERT INTO record_values (tenant_id, kind, field, value, record_id)
  SELECT v.tenant_id, v.kind, v.field, v.value || number, new.id
  FROM template AS t JOIN record_values AS v ON v.tenant_id = t.tenant_id AND v.record_id = t.id CROSS JOIN new
), search_text AS (
  INSERT INTO search_texts (tenant_id, kind, record_id, text)
  SELECT s.tenant_id, s.kind, new.id, s.text || number
  FROM template AS t JOIN search_texts AS s ON s.tenant_id = t.tenant_id AND s.kind = 'customer' AND s.record_id = t.id
  CROSS JOIN new
)
INSERT INTO events (tenant_id, id, kind, occurred_at, actor_kind, actor_id, subject_type, subject_id, version, changes, request_id)
SELECT e.tenant_id, new.id, e.kind, now(), e.actor_kind, e.actor_id, e.subject_type, new.id, 1, e.changes, e.request_id
FROM template AS t JOIN events AS e ON e.tenant_id = t.tenant_id AND e.subject_id = t.id AND e.version = 1 CROSS JOIN new
