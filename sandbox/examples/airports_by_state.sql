-- Counts the airports of each state of the United States.
CREATE TEMPORARY VIEW airports USING csv
OPTIONS (path '{input}', header 'true', inferSchema 'true');

CREATE TEMPORARY VIEW by_state AS
SELECT state, COUNT(*) AS airports, MAX(latitude) AS northernmost
FROM airports
WHERE country = 'USA'
GROUP BY state;

INSERT OVERWRITE DIRECTORY '{result}' USING csv
SELECT /*+ COALESCE(1) */ * FROM by_state ORDER BY state;

-- The rows of a query are kept with the run.
SELECT * FROM by_state ORDER BY airports DESC, state LIMIT 10;
