-- Rows of a data lake that were generated, and what must have come of them.

CREATE TABLE traffic.lake_row (
  traffic_id bigint NOT NULL REFERENCES traffic.run ON DELETE CASCADE,
  row_id     uuid   NOT NULL,
  source_key text   NOT NULL, -- as ingest knows the row: its transaction and its id
  same_as    uuid   NOT NULL, -- the row that was the first to tell the same: itself, but for repetitions
  outcomes   text[] NOT NULL, -- of each payment in it: `APPROVED 5000 USD`, in minor units; UNPROCESSED
  PRIMARY KEY (traffic_id, row_id)
);
COMMENT ON TABLE traffic.lake_row IS 'The answer key of rows that a data lake was filled with';

CREATE VIEW traffic.audit_lake_row AS SELECT * FROM traffic.lake_row;
COMMENT ON VIEW traffic.audit_lake_row IS 'What each row of a run must have come to';

GRANT SELECT, INSERT, DELETE ON traffic.lake_row TO payments_traffic;
GRANT SELECT ON traffic.audit_lake_row TO payments_loader;
