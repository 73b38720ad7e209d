-- Whose timeline an event stands in; empty for events that no timeline tells.
ALTER TABLE events ADD COLUMN customer_id uuid;
UPDATE events SET customer_id = subject_id
  WHERE kind IN ('customer.updated', 'customer.restored', 'segment.entered', 'segment.left');
UPDATE events SET customer_id = (
    SELECT o.customer_id FROM opportunities AS o WHERE o.tenant_id = events.tenant_id AND o.id = events.subject_id)
  WHERE kind IN ('opportunity.won', 'opportunity.lost', 'opportunity.reopened', 'opportunity.moved');
UPDATE events SET customer_id = (
    SELECT t.customer_id FROM tickets AS t WHERE t.tenant_id = events.tenant_id AND t.id = events.subject_id)
  WHERE kind IN ('ticket.merged', 'ticket.reopened', 'ticket.closed', 'ticket.solved', 'ticket.escalated',
    'ticket.rated', 'ticket.sla_breached');
CREATE INDEX events_by_customer_id ON events (tenant_id, customer_id, occurred_at, id) WHERE customer_id IS NOT NULL;

-- What a customer's timeline reads, newest first, and its overview.
CREATE INDEX opportunities_of_customer ON opportunities (tenant_id, customer_id, created_at, id);
CREATE INDEX tickets_of_customer ON tickets (tenant_id, customer_id, created_at, id);
CREATE INDEX tasks_of_customer ON tasks (tenant_id, customer_id, done_at, id);
CREATE INDEX appointments_of_customer ON appointments (tenant_id, customer_id, first_starts_at, id);
CREATE INDEX notes_of_subject ON notes (tenant_id, subject_id, created_at, id);
CREATE INDEX lifecycle_changes_of_customer ON lifecycle_changes (tenant_id, customer_id, changed_at, id);
