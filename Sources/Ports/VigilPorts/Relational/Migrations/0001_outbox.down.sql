DROP TABLE outbox;
-- only: postgresql
DROP TABLE outbox_epoch;
-- end
