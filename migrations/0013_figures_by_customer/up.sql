-- Rules count the interactions of each customer, in a window and of a channel, and sum up the amounts of its opportunities.
-- With what they ask for in the index, the records themselves need not be read.
DROP INDEX interactions_by_customer_id;
CREATE INDEX interactions_by_customer_id ON interactions (tenant_id, customer_id, started_at, id, channel, deleted_at);
DROP INDEX opportunities_by_customer_id;
CREATE INDEX opportunities_by_customer_id ON opportunities
  (tenant_id, customer_id, id, status, amount_currency, amount_minor, deleted_at);
