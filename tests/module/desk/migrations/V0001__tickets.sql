CREATE SCHEMA desk;

CREATE TABLE desk.ticket (
  ticket_id uuid        PRIMARY KEY,
  subject   text        NOT NULL,
  priority  text        NOT NULL CHECK (priority IN ('low', 'high')),
  opened_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW desk.audit_ticket AS SELECT priority, count(*) AS tickets FROM desk.ticket GROUP BY priority;

GRANT USAGE ON SCHEMA desk TO payments_loader;
GRANT SELECT, INSERT ON desk.ticket TO payments_loader;
GRANT SELECT ON desk.audit_ticket TO payments_loader;
