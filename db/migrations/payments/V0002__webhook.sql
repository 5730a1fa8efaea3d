-- after platform 3
-- What becomes of a payment is told by a webhook too, where one is set.

SELECT ops.add_webhook_tables('saga');

-- One more thing that must be so, beside those of V0001: a webhook ends within four days, and hourly those are ended that have not.
DO $$
BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW saga.audit_difference AS '
    || rtrim(pg_get_viewdef('saga.audit_difference'::regclass), ';')
    || $sql$
    UNION ALL
    SELECT 'webhook ' || id, 'delivered or given up before ' || expires_at, 'pending after ' || attempts || ' attempt(s)'
    FROM saga.webhook
    WHERE state = 'pending' AND expires_at <= now() - interval '1 day'$sql$;
END
$$;

-- As before, and what webhooks say of a customer.
CREATE OR REPLACE FUNCTION saga.erase(customer text, pseudonym text) RETURNS TABLE (what text, rows bigint)
LANGUAGE plpgsql
AS $$
BEGIN
  IF EXISTS (SELECT FROM saga.payment p WHERE p.customer_id = customer AND p.state = 'PENDING')
     OR EXISTS (SELECT FROM saga.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'a payment of the customer is in flight';
  END IF;
  what := 'payments';
  UPDATE saga.payment p SET customer_id = pseudonym, reference = NULL WHERE p.customer_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'references of payments';
  DELETE FROM saga.reference r WHERE r.customer_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'debits of unknown payments';
  UPDATE saga.orphan o SET user_id = pseudonym WHERE o.user_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'answers to payments';
  DELETE FROM saga.idempotency i WHERE position(to_json(customer)::text IN i.answer) > 0;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'webhooks about payments';
  UPDATE saga.webhook w SET data = w.data || jsonb_build_object('customerId', pseudonym, 'reference', NULL)
  WHERE w.data->>'customerId' = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;
