import { type DashboardSpec, prom, rate } from "./panels.js";

/** A zero where nothing of the kind has happened yet, so that the panel is not empty. */
const orNone = (expr: string, label: string) =>
  `${expr} or label_replace(vector(0), "${label}", "none", "", "")`;

export const pipeline: DashboardSpec = {
  uid: "payments-pipeline",
  title: "Payments - Pipeline",
  description: "Runs, steps, workers and backups. Progress comes from the ledger, rates from the workers.",
  from: "now-1h",
  to: "now",
  refresh: "15s",
  rows: [
    {
      title: "At a glance",
      panels: [
        {
          kind: "stat",
          title: "Unfinished runs",
          unit: "short",
          description: "Runs planned or running.",
          queries: [prom("max(payments_pipeline_unfinished_runs)")],
        },
        {
          kind: "stat",
          title: "Time to go",
          unit: "s",
          description: "Of the slowest unfinished run, at its average pace so far; 0 when all are over.",
          queries: [prom("max(payments_run_eta_seconds)")],
        },
        {
          kind: "stat",
          title: "Rows staged a second",
          unit: "rowsps",
          description: "Over the last minute, all workers together.",
          queries: [prom("payments:rows_staged:rate1m")],
        },
        {
          kind: "stat",
          title: "Oldest staged chunk",
          unit: "s",
          description: "Staged and not yet cleaned. Above half an hour: see ChunkTooOld in docs/alert.md.",
          queries: [prom("max(payments_pipeline_oldest_chunk_age_seconds)")],
          thresholds: [600, 1800],
        },
        {
          kind: "stat",
          title: "Idle with work to do",
          unit: "s",
          description:
            "Since anything last moved, while a run is unfinished. Above 15 minutes: see PipelineStalled.",
          queries: [prom("max(payments_pipeline_idle_seconds)")],
          thresholds: [300, 900],
        },
        {
          kind: "stat",
          title: "Mismatched chunks",
          unit: "short",
          description:
            "Cleaned chunks whose counts are not what the generator predicted. Anything but 0: see VerificationMismatch.",
          queries: [prom("max(payments_pipeline_mismatched_chunks)")],
          thresholds: [1, 1],
        },
      ],
    },
    {
      title: "Rows",
      panels: [
        {
          kind: "graph",
          title: "Rows a second by step",
          unit: "rowsps",
          description:
            "Generated, committed to staging, moved into txn. The three keep pace with each other in a healthy run.",
          queries: [
            prom(rate("payments_rows_generated_total"), "generated"),
            prom(rate("payments_rows_staged_total"), "staged"),
            prom(rate("payments_rows_accepted_total"), "accepted"),
          ],
        },
        {
          kind: "graph",
          title: "Rejected rows a second by reason",
          unit: "rowsps",
          stacked: true,
          description:
            "About STAGE_DIRT_RATE of all rows, spread over the reasons. Kept whole in txn_reject.",
          queries: [prom(rate("payments_rows_rejected_total", "reason"), "{{reason}}")],
        },
        {
          kind: "graph",
          title: "Repaired rows a second",
          unit: "rowsps",
          description: "Accepted after their case, blanks or decimal comma were mended.",
          queries: [prom(rate("payments_rows_repaired_total"), "repaired")],
        },
        {
          kind: "graph",
          title: "COPY",
          unit: "Bps",
          description: "Bytes sent to PostgreSQL and committed.",
          queries: [prom(rate("payments_copy_bytes_total"), "copied")],
        },
        {
          kind: "graph",
          title: "Progress by run",
          unit: "percentunit",
          max: 1,
          description: "Share of its three steps that is done, of unfinished runs and the latest one.",
          queries: [prom("max by (run) (payments_run_progress_ratio)", "{{run}}")],
        },
        {
          kind: "graph",
          title: "Rows in all",
          unit: "short",
          description: "Accepted and rejected by all runs, from the ledger.",
          queries: [
            prom("max(payments_pipeline_accepted_rows)", "accepted"),
            prom("max(payments_pipeline_rejected_rows)", "rejected"),
          ],
        },
        {
          kind: "graph",
          title: "Rejected rows in all by reason",
          unit: "short",
          stacked: true,
          description: "By all runs, from the ledger.",
          queries: [prom("max by (reason) (payments_rejected_rows)", "{{reason}}")],
        },
        {
          kind: "graph",
          title: "Runs by state",
          unit: "short",
          description: "From the ledger.",
          queries: [prom("max by (state) (payments_ledger_runs)", "{{state}}")],
        },
      ],
    },
    {
      title: "Steps",
      panels: [
        {
          kind: "graph",
          title: "Messages by step and outcome",
          unit: "mps",
          stacked: true,
          description: "done, retry (to the ladder), reject (dead-lettered), release (put back at a stop).",
          queries: [
            prom(rate("payments_step_duration_seconds_count", "step, outcome"), "{{step}} {{outcome}}"),
          ],
        },
        {
          kind: "graph",
          title: "Duration of a step, 95 %",
          unit: "s",
          description: "19 of 20 messages were done within this, waiting for servers included.",
          queries: [
            prom(
              `histogram_quantile(0.95, ${rate("payments_step_duration_seconds_bucket", "le, step")})`,
              "{{step}}",
            ),
          ],
        },
        {
          kind: "graph",
          title: "In flight",
          unit: "short",
          description:
            "Messages being worked on, below the number of slots. Below it for long with a full queue: workers wait for something.",
          queries: [
            prom("sum by (step) (payments_messages_in_flight)", "{{step}}"),
            prom("sum(payments_worker_slots)", "slots"),
          ],
        },
        {
          kind: "graph",
          title: "Failures",
          unit: "percentunit",
          max: 1,
          description: "Retried and rejected among all outcomes. Above 5 %: see StepFailuresHigh.",
          queries: [prom("payments:step_failures:ratio5m", "failing")],
        },
        {
          kind: "graph",
          title: "Retried and dead-lettered by code",
          unit: "mps",
          description: "By the error's code.",
          queries: [
            prom(orNone(rate("payments_messages_retried_total", "code"), "code"), "retried {{code}}"),
            prom(
              orNone(rate("payments_messages_dead_lettered_total", "code"), "code"),
              "dead-lettered {{code}}",
            ),
          ],
        },
        {
          kind: "graph",
          title: "Waits for servers",
          unit: "mps",
          description:
            "Steps that began to wait for a server that is away or out of room (SQLSTATE_53), by code.",
          queries: [prom(rate("payments_outage_waits_total", "code"), "{{code}}")],
        },
        {
          kind: "graph",
          title: "Staged chunks, building months",
          unit: "short",
          description: "Chunks between stage and clean stay within the window of their run.",
          queries: [
            prom("max(payments_pipeline_staged_chunks)", "staged chunks"),
            prom("max(payments_pipeline_building_months)", "building months"),
          ],
        },
        {
          kind: "graph",
          title: "Publishes by result",
          unit: "mps",
          description: "confirmed, or the code of what went wrong.",
          queries: [prom(rate("payments_publishes_total", "result"), "{{result}}")],
        },
        {
          kind: "graph",
          title: "Confirm, 95 %",
          unit: "s",
          description: "From publish to the broker's confirm: an fsync of the quorum queue.",
          queries: [
            prom(
              `histogram_quantile(0.95, ${rate("payments_publish_confirm_seconds_bucket", "le")})`,
              "confirm",
            ),
          ],
        },
      ],
    },
    {
      title: "Workers",
      panels: [
        {
          kind: "graph",
          title: "Workers",
          unit: "short",
          description: "By their heartbeats in the ledger; silent within the last hour: see WorkerSilent.",
          queries: [
            prom("max(payments_workers_alive)", "alive"),
            prom("max(payments_workers_silent)", "silent"),
          ],
        },
        {
          kind: "graph",
          title: "Connections",
          unit: "short",
          max: 1,
          description:
            "Breaker: 1 while work waits for PostgreSQL. Broker: 1 while connected to publish and to consume.",
          queries: [
            prom("max by (instance) (payments_breaker_open)", "breaker open {{instance}}"),
            prom("min by (instance) (payments_broker_up)", "broker {{instance}}"),
          ],
        },
        {
          kind: "graph",
          title: "Heartbeats",
          unit: "ops",
          description:
            "Written to the ledger every 5 s by each worker; silent for 30 s, it loses its connections.",
          queries: [prom(rate("payments_heartbeats_total", "result"), "{{result}}")],
        },
        {
          kind: "graph",
          title: "Age of the latest heartbeat",
          unit: "s",
          description: "Of any worker, by the database's clock. Above 30 s no worker holds a lease.",
          queries: [prom("max(payments_workers_heartbeat_age_seconds)", "age")],
        },
        {
          kind: "graph",
          title: "Reaped",
          unit: "short",
          description: "Silent workers, and their connections that were ended, within an hour.",
          queries: [
            prom("sum(increase(payments_reaped_workers_total[1h]))", "workers"),
            prom("sum(increase(payments_reaped_backends_total[1h]))", "connections"),
          ],
        },
        {
          kind: "graph",
          title: "Memory",
          unit: "bytes",
          description: "Resident memory of each worker.",
          queries: [prom('process_resident_memory_bytes{job="worker"}', "{{instance}}")],
        },
        {
          kind: "graph",
          title: "CPU",
          unit: "percentunit",
          description: "Cores in use by each worker, generator threads included.",
          queries: [prom('rate(process_cpu_seconds_total{job="worker"}[$__rate_interval])', "{{instance}}")],
        },
        {
          kind: "graph",
          title: "Event loop lag, 99 %",
          unit: "s",
          description: "How late a worker gets to its work. Seconds of it cost heartbeats to the broker.",
          queries: [prom("max by (instance) (nodejs_eventloop_lag_p99_seconds)", "{{instance}}")],
        },
        {
          kind: "stat",
          title: "Versions",
          unit: "short",
          description: "Of the workers that answer, and how many of each.",
          width: 24,
          queries: [prom("count by (version, node) (payments_build_info)", "{{version}} on Node {{node}}")],
        },
      ],
    },
    {
      title: "Backups",
      panels: [
        {
          kind: "stat",
          title: "Age of the latest backup",
          unit: "s",
          width: 6,
          description: "Without any: since the database was seeded. Above 26 hours: see BackupTooOld.",
          queries: [prom("max by (kind) (payments_backup_age_seconds)", "{{kind}}")],
          thresholds: [90000, 93600],
        },
        {
          kind: "stat",
          title: "Latest attempts",
          unit: "short",
          width: 6,
          description: "1: it succeeded; 0: see BackupFailed and RestoreDrillFailed.",
          queries: [
            prom("min by (kind) (payments_backup_last_ok)", "{{kind}}"),
            prom("min(payments_restore_drill_last_ok)", "restore drill"),
          ],
          thresholds: [1, 0.5],
        },
        {
          kind: "stat",
          title: "Size of the latest backup",
          unit: "bytes",
          width: 6,
          description: "Of the latest good one.",
          queries: [prom("max by (kind) (payments_backup_size_bytes)", "{{kind}}")],
        },
        {
          kind: "stat",
          title: "Age of the latest proof",
          unit: "s",
          width: 6,
          description: "Since a restore proved a backup. Above 8 days: see RestoreDrillTooOld.",
          queries: [prom("max(payments_restore_drill_age_seconds)", "restore drill")],
          thresholds: [604800, 691200],
        },
        {
          kind: "graph",
          title: "Duration of backup and drill",
          unit: "s",
          description: "Of the latest good ones.",
          width: 24,
          queries: [
            prom("max by (kind) (payments_backup_duration_seconds)", "{{kind}}"),
            prom("max(payments_restore_drill_duration_seconds)", "restore drill"),
          ],
        },
      ],
    },
  ],
};
