-- What opportunities come to by stage, whose they are, and currency, so that a summary of a pipeline reads a few rows.
-- Each write appends what it changes, and no two writers wait for one row; a duty adds the rows of a group up. Sums are in
-- two parts, because many amounts of 64 bits do not fit 64 bits. Sums of rows that are gone are zero, so that a stage needs
-- no row here and none here needs a stage.
CREATE TABLE opportunity_totals (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  stage_id uuid NOT NULL,
  id uuid NOT NULL,
  owner_id uuid,
  team_id uuid,
  currency text,
  count bigint NOT NULL,
  amount_billions bigint NOT NULL,
  amount_rest bigint NOT NULL,
  unestimated_billions bigint NOT NULL,
  unestimated_rest bigint NOT NULL,
  estimated_billions bigint NOT NULL,
  estimated_rest bigint NOT NULL,
  PRIMARY KEY (tenant_id, stage_id, id)
);
-- What is there so far, added up by group. A row has the id of the first opportunity of its group.
INSERT INTO opportunity_totals
SELECT tenant_id, stage_id, first_id, owner_id, team_id, amount_currency, COUNT(*),
  COALESCE(SUM(amount_minor / 1000000000), 0),
  COALESCE(SUM(amount_minor % 1000000000), 0),
  COALESCE(SUM(CASE WHEN probability IS NULL THEN amount_minor / 1000000000 END), 0),
  COALESCE(SUM(CASE WHEN probability IS NULL THEN amount_minor % 1000000000 END), 0),
  COALESCE(SUM(probability * (amount_minor / 1000000000)), 0),
  COALESCE(SUM(probability * (amount_minor % 1000000000)), 0)
FROM (
  SELECT opportunities.*, FIRST_VALUE(id) OVER (
    PARTITION BY tenant_id, stage_id, owner_id, team_id, amount_currency ORDER BY id
  ) AS first_id
  FROM opportunities
  WHERE deleted_at IS NULL
) AS there
GROUP BY tenant_id, stage_id, first_id, owner_id, team_id, amount_currency;
