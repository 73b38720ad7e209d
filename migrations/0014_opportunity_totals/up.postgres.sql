-- What is there so far, added up by group.
INSERT INTO opportunity_totals
SELECT tenant_id, stage_id, gen_random_uuid(), owner_id, team_id, amount_currency, COUNT(*),
  COALESCE(SUM(amount_minor / 1000000000), 0),
  COALESCE(SUM(amount_minor % 1000000000), 0),
  COALESCE(SUM(CASE WHEN probability IS NULL THEN amount_minor / 1000000000 END), 0),
  COALESCE(SUM(CASE WHEN probability IS NULL THEN amount_minor % 1000000000 END), 0),
  COALESCE(SUM(probability * (amount_minor / 1000000000)), 0),
  COALESCE(SUM(probability * (amount_minor % 1000000000)), 0)
FROM opportunities
WHERE deleted_at IS NULL
GROUP BY tenant_id, stage_id, owner_id, team_id, amount_currency;
