-- Nothing: a primary key is an index beside the table here. PostgreSQL refuses to run no statement at all.
SELECT 1;
