-- What changes stands with SQLite; PostgreSQL keeps its tables as heaps.
SELECT 1;
