-- The primary key leads to the few moves of a customer just as well.
DROP INDEX lifecycle_changes_of_customer;
