-- after platform 1
-- Pagos, and the money that went out for them. What must not be, PostgreSQL refuses: services/payouts/hostile_sql.int.test.ts tries.

CREATE SCHEMA payouts;

CREATE TABLE payouts.pago (
  id_pago         uuid        PRIMARY KEY,
  id_afiliado     text        NOT NULL CHECK (length(id_afiliado) BETWEEN 1 AND 255),
  referencia_pago text        CHECK (length(referencia_pago) BETWEEN 1 AND 255), -- null after an erasure
  -- Dinero, in minor units. Of the currencies of the contract.
  monto           bigint      NOT NULL CHECK (monto BETWEEN 1 AND 1000000000000000),
  moneda          text        NOT NULL CHECK (moneda IN ('USD', 'EUR', 'COP')),
  estado          text        NOT NULL DEFAULT 'PENDIENTE' CHECK (estado IN ('PENDIENTE', 'PROCESANDO', 'EXITOSO', 'FALLIDO')),
  motivo          text        CHECK (length(motivo) BETWEEN 1 AND 200),
  trace_id        uuid        NOT NULL, -- takes 32 hex digits, in half of their bytes
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  -- The key under which it is sent, kept before it is: whoever sends it again does so under the same one.
  gateway_key     text        CHECK (length(gateway_key) BETWEEN 1 AND 255),
  sent_at         timestamptz, -- for the first time, at the earliest
  gateway_id      text        CHECK (length(gateway_id) BETWEEN 1 AND 255),
  -- The gateway says of the key that its request has ended in an error: what it has not made by then it never makes.
  ended           boolean     NOT NULL DEFAULT false,
  -- When a dispatcher may take it in hand, next or again, and how often one did.
  due_at          timestamptz NOT NULL DEFAULT now(),
  takes           integer     NOT NULL DEFAULT 0,
  UNIQUE (id_pago, monto, moneda),
  CHECK ((estado = 'PENDIENTE') = (gateway_key IS NULL)),
  CHECK ((gateway_key IS NULL) = (sent_at IS NULL)),
  CHECK (gateway_key IS NOT NULL OR gateway_id IS NULL),
  CHECK (estado <> 'EXITOSO' OR gateway_id IS NOT NULL),
  CHECK ((estado = 'FALLIDO') = (motivo IS NOT NULL))
) PARTITION BY RANGE (id_pago);
CREATE TABLE payouts.pago_default PARTITION OF payouts.pago DEFAULT;
CREATE INDEX pago_due_idx ON payouts.pago (due_at) WHERE estado IN ('PENDIENTE', 'PROCESANDO');
CREATE INDEX pago_afiliado_idx ON payouts.pago (id_afiliado, id_pago);
COMMENT ON TABLE payouts.pago IS 'A Pago as it stands';

CREATE TABLE payouts.transition (
  from_estado text NOT NULL,
  to_estado   text NOT NULL,
  PRIMARY KEY (from_estado, to_estado)
);
INSERT INTO payouts.transition VALUES
  ('PENDIENTE', 'PENDIENTE'), ('PENDIENTE', 'PROCESANDO'),
  ('PROCESANDO', 'PROCESANDO'), ('PROCESANDO', 'EXITOSO'), ('PROCESANDO', 'FALLIDO');
COMMENT ON TABLE payouts.transition IS 'Changes of state that there are; all others are refused';

CREATE FUNCTION payouts.keep_pago() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF ops.erasing()
     OR (NEW.id_pago, NEW.id_afiliado, NEW.referencia_pago, NEW.monto, NEW.moneda, NEW.trace_id, NEW.created_at)
        IS NOT DISTINCT FROM
        (OLD.id_pago, OLD.id_afiliado, OLD.referencia_pago, OLD.monto, OLD.moneda, OLD.trace_id, OLD.created_at)
        -- What is known of the gateway stays known.
        AND (OLD.gateway_key IS NULL OR (NEW.gateway_key, NEW.sent_at) = (OLD.gateway_key, OLD.sent_at))
        AND (OLD.gateway_id IS NULL OR NEW.gateway_id = OLD.gateway_id)
        AND NEW.ended >= OLD.ended
        AND EXISTS (SELECT FROM payouts.transition WHERE from_estado = OLD.estado AND to_estado = NEW.estado) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Pago % is %: this change of it is refused', OLD.id_pago, OLD.estado
    USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER pago_kept_in_order BEFORE UPDATE ON payouts.pago
  FOR EACH ROW EXECUTE FUNCTION payouts.keep_pago();
CREATE TRIGGER pago_final BEFORE DELETE ON payouts.pago
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER pago_kept BEFORE TRUNCATE ON payouts.pago
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- Over all months: partitions of pago cannot have it.
CREATE TABLE payouts.reference (
  id_afiliado     text NOT NULL,
  referencia_pago text NOT NULL CHECK (length(referencia_pago) BETWEEN 1 AND 255),
  id_pago         uuid NOT NULL,
  PRIMARY KEY (id_afiliado, referencia_pago)
);
CREATE TRIGGER reference_final BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts.reference
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE payouts.reference IS 'The Pago of an afiliado under a referencia_pago: one';

CREATE TABLE payouts.paid (
  id_pago    uuid        PRIMARY KEY, -- one effect a Pago
  gateway_id text        NOT NULL UNIQUE,
  monto      bigint      NOT NULL,
  moneda     text        NOT NULL,
  paid_at    timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (id_pago, monto, moneda) REFERENCES payouts.pago (id_pago, monto, moneda)
);
COMMENT ON TABLE payouts.paid IS 'Money that went out, once for a Pago; final';

CREATE FUNCTION payouts.require_success() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM payouts.pago
                 WHERE id_pago = NEW.id_pago AND estado = 'EXITOSO' AND gateway_id = NEW.gateway_id) THEN
    RAISE EXCEPTION 'Pago % is not EXITOSO as %', NEW.id_pago, NEW.gateway_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END
$$;
-- After the statement, which changes the Pago too.
CREATE TRIGGER paid_of_success AFTER INSERT ON payouts.paid
  FOR EACH ROW EXECUTE FUNCTION payouts.require_success();
CREATE TRIGGER paid_final BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts.paid
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TABLE payouts.returned (
  id_pago     uuid        PRIMARY KEY REFERENCES payouts.paid, -- nothing comes back that did not go out
  motivo      text        NOT NULL CHECK (length(motivo) BETWEEN 1 AND 200),
  returned_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER returned_final BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts.returned
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE payouts.returned IS 'Money that the bank sent back, all of it; final. Its Pago stays EXITOSO';

SELECT ops.add_service_tables('payouts');

-- What became of events, which leave the outbox when they are published. In eight rows an event, so that processes that publish at
-- once seldom wait for each other.
CREATE TABLE payouts.outbox_total (
  event   text     NOT NULL,
  slot    smallint NOT NULL,
  sent    bigint   NOT NULL DEFAULT 0,
  failed  bigint   NOT NULL DEFAULT 0, -- at their first try
  retries bigint   NOT NULL DEFAULT 0,
  PRIMARY KEY (event, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE payouts.outbox_total IS 'How many events were published, had to be tried again, and how often';

-- With the owner's rights: who publishes may not write what it likes.
CREATE FUNCTION payouts.count_sent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  INSERT INTO payouts.outbox_total AS t (event, slot, sent)
  SELECT event, pg_backend_pid() % 8, count(*) FROM gone GROUP BY event ORDER BY event
  ON CONFLICT (event, slot) DO UPDATE SET sent = t.sent + excluded.sent;
  RETURN NULL;
END
$$;
CREATE TRIGGER outbox_sent AFTER DELETE ON payouts.outbox REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION payouts.count_sent();

-- Only a sweeper claims, and only what nobody published in time.
CREATE FUNCTION payouts.count_retried() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  INSERT INTO payouts.outbox_total AS t (event, slot, failed, retries)
  SELECT c.event, pg_backend_pid() % 8, count(*) FILTER (WHERE w.claimed_until IS NULL), count(*)
  FROM claimed c JOIN was w USING (message_id)
  GROUP BY c.event ORDER BY c.event
  ON CONFLICT (event, slot) DO UPDATE SET failed = t.failed + excluded.failed, retries = t.retries + excluded.retries;
  RETURN NULL;
END
$$;
CREATE TRIGGER outbox_retried AFTER UPDATE ON payouts.outbox REFERENCING OLD TABLE AS was NEW TABLE AS claimed
  FOR EACH STATEMENT EXECUTE FUNCTION payouts.count_retried();
REVOKE ALL ON FUNCTION payouts.count_sent, payouts.count_retried FROM PUBLIC;

-- What is not as it must be, a row a difference; no rows is the proof. What the gateway's own book says of the same Pagos the
-- command `payments audit` compares.
CREATE VIEW payouts.audit_difference AS
SELECT 'Pago ' || coalesce(p.id_pago, m.id_pago) AS what,
       CASE WHEN p.estado = 'EXITOSO' THEN 'paid ' || p.monto || ' ' || p.moneda || ' as ' || coalesce(p.gateway_id, 'nothing')
            ELSE 'nothing paid: it is ' || coalesce(p.estado, 'not there') END AS expected,
       coalesce('paid ' || m.monto || ' ' || m.moneda || ' as ' || m.gateway_id, 'nothing paid') AS found
FROM payouts.pago p FULL JOIN payouts.paid m USING (id_pago)
WHERE (p.estado IS NOT DISTINCT FROM 'EXITOSO') <> (m.id_pago IS NOT NULL)
   OR m.id_pago IS NOT NULL AND (p.monto IS DISTINCT FROM m.monto OR p.moneda IS DISTINCT FROM m.moneda
                                 OR p.gateway_id IS DISTINCT FROM m.gateway_id)
UNION ALL
SELECT 'Pago ' || r.id_pago, 'paid before it came back', 'nothing paid'
FROM payouts.returned r LEFT JOIN payouts.paid m USING (id_pago)
WHERE m.id_pago IS NULL
UNION ALL
-- Of both a CHECK keeps each for itself; this is for what was changed with checks off.
SELECT 'Pago ' || id_pago, 'key and reason as its state has them',
       estado || ', ' || coalesce(motivo, 'no reason') || ', ' || coalesce(gateway_key, 'no key')
FROM payouts.pago
WHERE (estado = 'FALLIDO') <> (motivo IS NOT NULL) OR (estado = 'PENDIENTE') <> (gateway_key IS NULL)
UNION ALL
SELECT 'reference ' || coalesce(r.referencia_pago, p.referencia_pago) || ' of ' || coalesce(r.id_afiliado, p.id_afiliado),
       'Pago ' || coalesce(p.id_pago::text, 'none'), 'Pago ' || coalesce(r.id_pago::text, 'none')
FROM payouts.reference r FULL JOIN (SELECT * FROM payouts.pago WHERE referencia_pago IS NOT NULL) p USING (id_pago)
WHERE (r.id_afiliado, r.referencia_pago) IS DISTINCT FROM (p.id_afiliado, p.referencia_pago)
UNION ALL
-- A bank may take days for what the gateway has taken; what it never confirmed is asked about for minutes.
SELECT 'Pago ' || id_pago, 'settled by now', estado || ' since ' || updated_at
FROM payouts.pago
WHERE estado IN ('PENDIENTE', 'PROCESANDO')
  AND updated_at <= now() - CASE WHEN ops.audit_grace() = interval '0' THEN interval '0'
                                 ELSE ops.audit_grace() + CASE WHEN gateway_id IS NULL THEN interval '1 hour'
                                                               ELSE interval '14 days' END END
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM payouts.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW payouts.audit_difference IS 'Each way in which Pagos, references and money that went out disagree';

CREATE VIEW payouts.audit_pago AS
SELECT p.id_pago, p.estado, p.gateway_id, p.monto, p.moneda, r.id_pago IS NOT NULL AS returned,
       greatest(p.updated_at, r.returned_at) AS changed_at
FROM payouts.pago p LEFT JOIN payouts.returned r USING (id_pago);
COMMENT ON VIEW payouts.audit_pago IS 'What payouts says of each Pago, for the gateway''s book';

CREATE VIEW payouts.open_state AS
SELECT e.estado, count(p.id_pago) AS pagos,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(p.created_at)), 0), 0)::double precision AS oldest_age_seconds,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(p.created_at) FILTER (WHERE p.gateway_id IS NULL)), 0), 0)::double precision
         AS oldest_untaken_age_seconds
FROM (VALUES ('PENDIENTE'), ('PROCESANDO')) e (estado)
LEFT JOIN payouts.pago p ON p.estado = e.estado AND p.estado IN ('PENDIENTE', 'PROCESANDO')
GROUP BY e.estado;
COMMENT ON VIEW payouts.open_state IS 'How many Pagos are not settled, since when, and since when the gateway has not taken the oldest';

-- By its id a query chooses a stretch of time, and with it the partitions: id_pago >= ops.uuid_floor(…).
CREATE VIEW payouts.report_pago AS
SELECT p.id_pago, p.created_at, p.estado, p.motivo, p.monto, p.moneda, r.id_pago IS NOT NULL AS returned
FROM payouts.pago p LEFT JOIN payouts.returned r USING (id_pago);
COMMENT ON VIEW payouts.report_pago IS 'Pagos for reports: nothing of who was paid; amounts in minor units';

GRANT SELECT, INSERT ON payouts.pago, payouts.reference, payouts.paid, payouts.returned TO payments_payouts;
GRANT SELECT ON payouts.transition, payouts.outbox_total TO payments_payouts;
GRANT UPDATE (estado, motivo, updated_at, gateway_key, sent_at, gateway_id, ended, due_at, takes) ON payouts.pago TO payments_payouts;
GRANT SELECT ON payouts.audit_difference, payouts.audit_pago TO payments_loader, payments_exporter;
GRANT SELECT ON payouts.open_state, payouts.report_pago TO payments_exporter;
GRANT USAGE ON SCHEMA ops, payouts TO payments_reader;
GRANT SELECT ON payouts.report_pago TO payments_reader;

-- Takes an afiliado's name out of Pagos; what is left of them is nobody's. Called by `payments erase`.
CREATE FUNCTION payouts.erase(customer text, pseudonym text) RETURNS TABLE (what text, rows bigint)
LANGUAGE plpgsql
AS $$
BEGIN
  IF EXISTS (SELECT FROM payouts.pago p WHERE p.id_afiliado = customer AND p.estado IN ('PENDIENTE', 'PROCESANDO'))
     OR EXISTS (SELECT FROM payouts.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'a Pago of the afiliado is in flight';
  END IF;
  what := 'Pagos';
  UPDATE payouts.pago p SET id_afiliado = pseudonym, referencia_pago = NULL WHERE p.id_afiliado = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'references of Pagos';
  DELETE FROM payouts.reference r WHERE r.id_afiliado = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION payouts.erase IS 'Gives an afiliado''s Pagos a pseudonym, and forgets how they were called';
