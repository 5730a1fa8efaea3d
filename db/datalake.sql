-- The data lake: what others have collected of providers' events, in a database of its own. To be run in that database, by its owner or
-- a superuser, at any time. The poller of ingest reads rows and marks them; nobody of ours changes anything else.
SET client_min_messages = warning;
SET default_transaction_read_only = off;
SET ROLE payments_owner;

CREATE TABLE IF NOT EXISTS public.raw_transactions (
  id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  data             jsonb,
  merchant         jsonb,
  transactional_id uuid,
  processed        boolean     NOT NULL DEFAULT false,
  processed_at     timestamptz,
  created_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.raw_transactions IS 'Providers'' events as they came: JSON of any shape, XML as a string in content, CSV as a string';
COMMENT ON COLUMN public.raw_transactions.merchant IS 'id, name and country of whom the event concerns';

-- The oldest first, and nothing of what is done: the poller looks here only.
CREATE INDEX IF NOT EXISTS raw_transactions_waiting ON public.raw_transactions (created_at, id) WHERE NOT processed;

GRANT USAGE ON SCHEMA public TO payments_lake, payments_reader, payments_traffic;
GRANT SELECT ON public.raw_transactions TO payments_lake, payments_reader;
GRANT UPDATE (processed, processed_at) ON public.raw_transactions TO payments_lake;
GRANT INSERT ON public.raw_transactions TO payments_traffic;

RESET ROLE;
