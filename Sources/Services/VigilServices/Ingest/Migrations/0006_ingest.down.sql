DROP TABLE unknown_fields;
DROP TABLE device_metrics;
DROP TABLE metric_names;
DROP TABLE ingest_log;
DROP TABLE ingest_progress;
DROP TABLE device_activity;
