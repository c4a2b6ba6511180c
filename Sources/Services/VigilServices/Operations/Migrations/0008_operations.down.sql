DROP TABLE application_logs;
DROP TABLE idempotency_keys;
DROP TABLE consumer_cursors;
