import { afterAll, beforeAll, expect, it } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { Publisher } from "../lib/broker/publisher.js";
import { newId } from "../lib/domain/ids.js";
import { EXIT } from "../lib/errors.js";
import { silentLogger } from "../lib/observability/log.js";
import { paymentsEvtCompleted, paymentsEvtPending } from "../services/contracts/payments_evt.js";
import { onChannel, publishByHand } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { payments } from "./harness/process.js";
import { Monitored } from "./harness/prometheus.js";
import { ended, pago } from "./harness/reports.js";
import { killServer, rabbitmqctl, startServers } from "./harness/servers.js";

const FRAUD_QUEUE = "fraud-service-payments-created-consumer";

let monitored: Monitored;
beforeAll(async () => {
  monitored = await Monitored.start();
  await monitored.backupTables();
  await forgetSilent();
});
afterAll(() => monitored?.close());

type Undo = () => Promise<unknown>;

/** What is done to the stack, which alerts must come of it, and how it is taken back. */
interface Drill {
  readonly what: string;
  readonly alerts: readonly string[];
  /** Alertmanager knows of it, and keeps it quiet for the other's sake. */
  readonly suppressed?: string;
  readonly cause: () => Promise<Undo>;
}

it("a quiet run fires none", async () => {
  // The worker first: on servers that have served another file, Prometheus remembers that there was none.
  const seen = async () => (await monitored.range('up{job="worker"}', 0))[0]?.values.at(-1)?.[1] === "1";
  const quiet = async () => (await seen()) && (await monitored.firing()).size === 0;
  await eventually("all quiet", quiet, { withinMs: 60_000 });
  const began = Date.now();
  await monitored.load(300_000);
  // Longer than any `for` of these rules but that of dead tuples, which a run does not make.
  const until = Date.now() + 25_000;
  await eventually("time for alerts to fire", () => Date.now() > until, { withinMs: 40_000 });
  // Less the second in which the last of what fired before was still on record.
  const seconds = Math.floor((Date.now() - began) / 1_000) - 2;
  const fired = await monitored.range('ALERTS{alertstate="firing"}', seconds);
  expect(fired.map(({ metric }) => metric["alertname"])).toEqual([]);
});

const drills: readonly Drill[] = [
  {
    what: "the ledger says that a chunk is wrong, another is stuck, and nothing has moved for an hour",
    alerts: ["VerificationMismatch", "ChunkTooOld", "PipelineStalled"],
    cause: async () => {
      await monitored.sql(`
        UPDATE etl.chunk SET staged_at = staged_at - interval '2 hours', cleaned_at = cleaned_at - interval '2 hours';
        UPDATE etl.run_month SET finished_at = finished_at - interval '2 hours';
        UPDATE etl.run SET created_at = created_at - interval '2 hours', started_at = started_at - interval '2 hours';
        UPDATE etl.chunk SET state = 'staged' WHERE run_id = 'r1' AND chunk_no = 0;
        UPDATE etl.chunk SET accepted_key = accepted_key + 1 WHERE run_id = 'r1' AND chunk_no = 1;
        UPDATE etl.run SET state = 'running' WHERE run_id = 'r1'`);
      return () =>
        monitored.sql(`
          UPDATE etl.chunk SET state = 'cleaned' WHERE run_id = 'r1' AND chunk_no = 0;
          UPDATE etl.chunk SET accepted_key = accepted_key - 1 WHERE run_id = 'r1' AND chunk_no = 1;
          UPDATE etl.run SET state = 'done' WHERE run_id = 'r1'`);
    },
  },
  {
    what: "backups are old and fail, and so do drills",
    alerts: ["BackupTooOld", "BackupFailed", "RestoreDrillTooOld", "RestoreDrillFailed"],
    cause: async () => {
      await monitored.backup("2 days", "completed");
      await monitored.backup("1 hour", "failed");
      await monitored.drill("9 days", "passed");
      await monitored.drill("1 hour", "failed");
      return async () => {
        await monitored.backup("0", "completed");
        await monitored.drill("0", "passed");
      };
    },
  },
  {
    what: "poison keeps coming, and messages for no queue",
    alerts: ["DeadLetters", "StepFailuresHigh", "RabbitMQUnroutable"],
    cause: async () => {
      let stop = false;
      const poisoning = (async () => {
        while (!stop) {
          await publishByHand(monitored.settings, ETL_QUEUES.work, "poison");
          await publishByHand(monitored.settings, "nowhere", "lost");
        }
      })();
      return async () => {
        stop = true;
        await poisoning;
        await eventually("all dead", async () => (await purge()) === 0, { withinMs: 30_000, everyMs: 500 });
      };
    },
  },
  {
    what: "two sessions deadlock",
    alerts: ["PostgresDeadlocks"],
    cause: async () => {
      await monitored.deadlock();
      return async () => undefined;
    },
  },
  {
    what: "the worker is gone, and the queue fills",
    alerts: ["WorkerMissing", "RabbitMQNoConsumers", "RabbitMQReadyTooHigh"],
    suppressed: "RabbitMQNoConsumers",
    cause: async () => {
      await monitored.stopWorker();
      await fill(1_001, ETL_QUEUES.work);
      return async () => {
        await onChannel(monitored.settings, (channel) => channel.purgeQueue(ETL_QUEUES.work));
        await monitored.startWorker();
      };
    },
  },
  {
    what: "the services are gone, and their events wait",
    alerts: ["ServicesMissing", "RabbitMQNoConsumers", "ServiceQueueLag"],
    suppressed: "ServiceQueueLag",
    cause: async () => {
      await monitored.stopServices();
      await fill(1_001, FRAUD_QUEUE);
      return async () => {
        await onChannel(monitored.settings, (channel) => channel.purgeQueue(FRAUD_QUEUE));
        await monitored.startServices();
      };
    },
  },
  {
    what: "somebody holds the wallets while people ask for them",
    alerts: ["ServiceErrorsHigh", "ServiceSlow", "ServicePoolHigh"],
    cause: async () => {
      const holder = monitored.client();
      await holder.connect();
      await holder.query("SET ROLE payments_owner");
      await holder.query("BEGIN");
      await holder.query("LOCK TABLE wallet.wallet");
      let stop = false;
      const asking = Array.from({ length: 20 }, async () => {
        while (!stop) {
          await monitored.request("GET", "/wallets?user_id=customer-1");
        }
      });
      return async () => {
        stop = true;
        await holder.end();
        await Promise.all(asking);
      };
    },
  },
  {
    what: "the gateway fails",
    alerts: ["GatewayCircuitOpen"],
    cause: async () => {
      const { onPay } = monitored.gateway;
      monitored.gateway.onPay = () => ({ status: 503, body: { error: { type: "api_error" } } });
      for (let i = 0; i < 6; i++) {
        const asked = {
          monto: "1.00",
          moneda: "USD",
          id_afiliado: "alerts",
          referencia_pago: `fails ${process.pid} ${i}`,
        };
        await monitored.request("POST", "/pagos", asked);
      }
      return async () => {
        monitored.gateway.onPay = onPay;
      };
    },
  },
  {
    what: "a partner tells more than it may",
    alerts: ["PartnersRefused"],
    cause: async () => {
      const data = { campaign_id: newId() };
      const occurred_at = new Date().toISOString();
      const clicks = Array.from({ length: 600 }, (_, i) => {
        return { source: "alerts", event_id: `e${i}`, type: "click", occurred_at, data };
      });
      const tell = () => monitored.request("POST", "/event-collector/events", clicks).catch(() => undefined);
      const clock = setInterval(() => void tell(), 100);
      return async () => clearInterval(clock);
    },
  },
  {
    what: "providers send what nobody understands, what contradicts its hint, and nothing but whole amounts",
    alerts: ["IngestUnprocessedHigh", "IngestContradictions", "IngestUnitSuspect", "IngestRetriesStuck"],
    cause: async () => {
      const created = Math.floor(Date.now() / 1_000);
      const charge = (id: string) => {
        const object = { id, object: "charge", amount: 5_000, currency: "usd", status: "succeeded", created };
        return { id: `evt_${id}`, object: "event", type: "charge.succeeded", created, data: { object } };
      };
      const events = Array.from({ length: 60 }, (_, i) => [
        { raw_event: { alerts: i } },
        { raw_event: charge(`ch_alerts_${i}`) },
        { raw_event: charge(`ch_contrary_${i}`), provider: "adyen" },
      ]).flat();
      expect((await monitored.request("POST", "/api/v1/events/batch", events)).status).toBe(201);
      const due =
        "UPDATE ingest.event SET retry_at = now() - interval '20 minutes' WHERE retry_at IS NOT NULL";
      await monitored.sql(`SET ROLE payments_owner; ${due}`);
      return async () => {
        await monitored.sql(`
          SET ROLE payments_owner;
          UPDATE ingest.event SET retry_at = NULL WHERE retry_at IS NOT NULL;
          UPDATE ingest.amount_day SET round = 0`);
      };
    },
  },
  {
    what: "a payment, a Pago, a delivery, an event, a webhook and a campaign wait, nobody has audited, and an audit finds the event",
    alerts: [
      "PaymentsStuck",
      "PayoutsStuck",
      "DeliveryUnanswered",
      "OutboxStuck",
      "WebhooksStuck",
      "CampaignsBehind",
      "AuditDifference",
      "AuditTooOld",
    ],
    cause: async () => {
      // Later than the sweepers look, and younger than what they give up.
      await monitored.sql(`
        SET ROLE payments_owner;
        INSERT INTO saga.payment (payment_id, customer_id, amount, currency, method, trace_id, created_at, due_at)
        VALUES (ops.uuid_v7(), 'alerts', 1, 'USD', 'credit_card', gen_random_uuid(), now() - interval '6 minutes', now() + interval '1 day');
        INSERT INTO payouts.pago (id_pago, id_afiliado, monto, moneda, trace_id, created_at, due_at)
        VALUES (ops.uuid_v7(), 'alerts', 1, 'USD', gen_random_uuid(), now() - interval '20 minutes', now() + interval '1 day');
        INSERT INTO collector.delivery (id, destination, state, awaited, message_id, changed_at)
        VALUES (ops.uuid_v7(), 'payouts', 'sent', true, gen_random_uuid(), now() - interval '6 minutes');
        INSERT INTO saga.outbox (message_id, event, headers, body, entered_at, claimed_until)
        VALUES (gen_random_uuid(), 'alerts', '{}', '', now() - interval '2 minutes', now() + interval '1 day');
        INSERT INTO saga.webhook (type, data, entered_at) VALUES ('alerts', '{}', now() - interval '2 hours')`);
      const holder = await holdUnannounced();
      const { code } = await payments(monitored.settings, "audit");
      expect(code).toBe(EXIT.mismatch);
      await monitored.sql("UPDATE ops.audit_result SET finished_at = finished_at - interval '2 days'");
      return async () => {
        await holder.end();
        await monitored.sql(`
          SET ROLE payments_owner;
          UPDATE saga.payment SET state = 'DECLINED', reason = 'timed_out', awaiting = NULL WHERE customer_id = 'alerts' AND state = 'PENDING';
          UPDATE payouts.pago SET estado = 'PROCESANDO', gateway_key = 'alerts', sent_at = now() WHERE estado = 'PENDIENTE' AND id_afiliado = 'alerts';
          UPDATE payouts.pago SET estado = 'FALLIDO', motivo = 'alerts' WHERE gateway_key = 'alerts' AND estado = 'PROCESANDO';
          UPDATE collector.delivery SET state = 'refused', outcome = 'reference_used' WHERE state = 'sent' AND awaited;
          DELETE FROM saga.outbox WHERE event = 'alerts';
          DELETE FROM saga.webhook WHERE type = 'alerts';
          UPDATE ops.audit_result SET finished_at = now(), differences = 0`);
      };
    },
  },
  {
    what: "a payout is told of without its first event, and somebody left a rebuild",
    alerts: ["ReportsParked", "ReportsRebuildLeft"],
    cause: async () => {
      const late = pago();
      await monitored.publish(paymentsEvtCompleted, ended(late, "EXITOSO"));
      // As if both were long ago.
      await eventually("it is archived", async () => {
        await monitored.sql(`
          SET ROLE payments_owner;
          ALTER TABLE reports.event DISABLE TRIGGER event_final;
          UPDATE reports.event SET archived_at = now() - interval '1 hour' WHERE aggregate_id = '${late.id_pago}';
          ALTER TABLE reports.event ENABLE TRIGGER event_final`);
        return (await monitored.range("payments_reports_parked_oldest_age_seconds > 600", 0)).length > 0;
      });
      await monitored.sql(`
        SET ROLE payments_owner;
        INSERT INTO reports.generation (generation, leased_until)
        SELECT max(generation) + 1, now() - interval '2 hours' FROM reports.generation`);
      return async () => {
        await monitored.publish(paymentsEvtPending, late);
        await monitored.sql(
          "SET ROLE payments_owner; UPDATE reports.generation SET state = 'retired' WHERE state = 'building'",
        );
      };
    },
  },
  {
    what: "a worker is killed",
    alerts: ["WorkerSilent"],
    cause: async () => {
      await monitored.stopWorker("SIGKILL");
      await monitored.startWorker();
      return forgetSilent;
    },
  },
  {
    what: "the broker raises its alarms",
    alerts: ["RabbitMQMemoryAlarm", "RabbitMQDiskAlarm"],
    cause: async () => {
      const limit = /vm_memory_high_watermark,\{absolute,"?([^"}]+)/.exec(
        await rabbitmqctl("environment"),
      )?.[1];
      await rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
      await rabbitmqctl("set_disk_free_limit", "100000GB");
      return async () => {
        await rabbitmqctl("set_vm_memory_high_watermark", "absolute", limit ?? "512MiB");
        await rabbitmqctl("set_disk_free_limit", "200MB");
      };
    },
  },
  {
    what: "people take the connections",
    alerts: ["PostgresConnectionsHigh"],
    cause: async () => {
      const clients = Array.from({ length: 85 }, () => monitored.client());
      await Promise.all(clients.map((client) => client.connect()));
      return () => Promise.all(clients.map((client) => client.end()));
    },
  },
  {
    what: "PostgreSQL was started anew",
    alerts: ["PostgresRestarted"],
    cause: async () => {
      await killServer("postgres", "SIGQUIT");
      await startServers();
      return async () => undefined;
    },
  },
  {
    what: "PostgreSQL is away while a message comes",
    alerts: ["PostgresDown", "WorkerCutOff"],
    suppressed: "WorkerCutOff",
    cause: async () => {
      await killServer("postgres", "SIGINT");
      await publishByHand(monitored.settings, ETL_QUEUES.work, '{"v":1,"step":"stage","run":"r1","chunk":0}');
      return startServers;
    },
  },
  {
    what: "RabbitMQ is away",
    alerts: ["RabbitMQDown", "MonitoringTargetDown", "WorkerCutOff", "ServiceCutOff"],
    suppressed: "MonitoringTargetDown",
    cause: async () => {
      await killServer("rabbitmq", "SIGKILL");
      return startServers;
    },
  },
  {
    what: "the exporter is away",
    alerts: ["PostgresExporterDown"],
    cause: async () => {
      await killServer("postgres-exporter", "SIGTERM");
      return startServers;
    },
  },
];

it.each(drills)("$what: $alerts", async ({ alerts, suppressed, cause }) => {
  const before = await monitored.firing();
  for (const alert of alerts) {
    expect(before).not.toContain(alert);
  }
  const undo = await cause();
  try {
    for (const alert of alerts) {
      await eventually(`${alert} fires`, async () => (await monitored.firing()).has(alert), {
        withinMs: 60_000,
        everyMs: 250,
      });
      await eventually(`Alertmanager is told of ${alert}`, async () => (await monitored.told()).has(alert), {
        withinMs: 30_000,
        everyMs: 250,
      });
    }
    if (suppressed !== undefined) {
      await eventually(
        `${suppressed} is kept quiet`,
        async () => (await monitored.told()).get(suppressed) === "suppressed",
        { withinMs: 30_000 },
      );
    }
  } finally {
    await undo();
  }
  for (const alert of alerts) {
    await eventually(`${alert} resolves`, async () => !(await monitored.firing()).has(alert), {
      withinMs: 60_000,
      everyMs: 250,
    });
  }
});

it("thirty alerts have been seen to fire", () => {
  expect(new Set(drills.flatMap((drill) => drill.alerts)).size).toBeGreaterThanOrEqual(30);
});

/** Moves the last beats of workers that were killed out of the hour in which they count as silent. */
function forgetSilent(): Promise<void> {
  return monitored.sql(
    "UPDATE etl.worker SET heartbeat_at = now() - interval '2 hours' WHERE heartbeat_at < now() - interval '20 seconds'",
  );
}

/** A campaign whose counts wait, in somebody's hands: nobody announces it until the session ends. */
async function holdUnannounced(): Promise<ReturnType<Monitored["client"]>> {
  // By its id: on servers that have served this file before there is another one.
  const id = newId();
  await monitored.sql(`
    SET ROLE payments_owner;
    WITH made AS (
      INSERT INTO campaigns.campaign (campaign_id, name, currency, budget) VALUES ('${id}', 'alerts', 'USD', 1) RETURNING *
    )
    INSERT INTO campaigns.change (campaign_id, version, state, budget) SELECT campaign_id, version, state, budget FROM made`);
  const holder = monitored.client();
  await holder.connect();
  await holder.query("SET ROLE payments_owner");
  await eventually("held before it was announced", async () => {
    await holder.query(
      "UPDATE campaigns.campaign SET unannounced_since = now() - interval '2 minutes' WHERE campaign_id = $1",
      [id],
    );
    await holder.query("BEGIN");
    const { rowCount } = await holder.query(
      "SELECT FROM campaigns.campaign WHERE campaign_id = $1 AND unannounced_since IS NOT NULL FOR UPDATE",
      [id],
    );
    return rowCount === 1 || holder.query("ROLLBACK").then(() => false as const);
  });
  return holder;
}

/** Puts so many messages into a work queue that are none of ours. */
async function fill(messages: number, queue: string): Promise<void> {
  const options = {
    name: "test",
    logger: silentLogger,
    connectPolicy: "once",
    families: [ETL_QUEUES],
  } as const;
  const publisher = new Publisher({ ...options, address: monitored.settings });
  const poison = Array.from({ length: messages }, () => publisher.publish(queue, "poison"));
  await Promise.all(poison);
  await publisher.close();
}

/** Throws all dead letters away. @returns how many messages the work queue and the dead-letter queue then hold. */
async function purge(): Promise<number> {
  await payments(monitored.settings, "dlq", "purge", "--all", "--yes");
  return onChannel(monitored.settings, async (channel) => {
    const counts = [ETL_QUEUES.work, ETL_QUEUES.deadLetter].map((queue) => channel.checkQueue(queue));
    return (await Promise.all(counts)).reduce((sum, { messageCount }) => sum + messageCount, 0);
  });
}
