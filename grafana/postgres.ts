import { graph, rate, stat } from "../lib/observability/panels.js";
import type { DashboardSpec } from "./panels.js";

export const postgres: DashboardSpec = {
  uid: "payments-postgres",
  title: "Payments - Postgres Overview",
  description: "PostgreSQL by its own statistics, through postgres_exporter 0.11 or 0.20.",
  rows: {
    "At a glance": [
      stat("Up", "short", "1: it answers the exporter. 0: see PostgresDown.", "min(pg_up)", {
        thresholds: [1, 0.5],
      }),
      stat("Uptime", "s", "Since the server was started.", "time() - max(pg_postmaster_start_time_seconds)"),
      stat(
        "Connections",
        "percentunit",
        "Share of max_connections in use. Above 80 %: see PostgresConnectionsHigh.",
        "max(payments:postgres_connections:ratio)",
        { thresholds: [0.6, 0.8] },
      ),
      stat("Databases", "bytes", "Size of all databases.", "sum(pg_database_size_bytes)"),
      stat(
        "Read from cache",
        "percentunit",
        "Share of blocks found in shared_buffers over 5 minutes; a bulk load writes more than it reads, so low values during loads are normal.",
        "sum(rate(pg_stat_database_blks_hit[5m])) / clamp_min(sum(rate(pg_stat_database_blks_hit[5m]) + rate(pg_stat_database_blks_read[5m])), 1e-9)",
      ),
      stat(
        "Disk free",
        "bytes",
        "On the disk that PostgreSQL and RabbitMQ share, as RabbitMQ sees it. Below 5 GB: see DiskSpaceLow.",
        "min(rabbitmq_disk_space_available_bytes)",
        { thresholds: [20000000000, 5000000000] },
      ),
    ],
    Work: [
      graph("Transactions a second", "ops", "Committed and rolled back, all databases.", {
        committed: rate("pg_stat_database_xact_commit"),
        "rolled back": rate("pg_stat_database_xact_rollback"),
      }),
      graph(
        "Rolled back",
        "percentunit",
        "Share of all transactions over 5 minutes. Above 10 %: see PostgresRollbackRatioHigh.",
        { "rolled back": "payments:postgres_rollbacks:ratio5m" },
        { max: 1 },
      ),
      graph(
        "Rows written a second",
        "rowsps",
        "COPY and INSERT … SELECT count as inserts. A row that is added to a month published before counts twice: when it is staged, and then.",
        {
          inserted: rate("pg_stat_database_tup_inserted"),
          updated: rate("pg_stat_database_tup_updated"),
          deleted: rate("pg_stat_database_tup_deleted"),
        },
      ),
      graph("Rows read a second", "rowsps", "Returned by scans; fetched through indexes.", {
        returned: rate("pg_stat_database_tup_returned"),
        fetched: rate("pg_stat_database_tup_fetched"),
      }),
      graph(
        "Sessions by state",
        "short",
        "Idle in transaction for long holds back vacuum and publishing.",
        { "{{state}}": "sum by (state) (pg_stat_activity_count)" },
        { stacked: true },
      ),
      graph("Longest transaction", "s", "By database. Above half an hour: see PostgresLongTransaction.", {
        "{{datname}}": "max by (datname) (pg_stat_activity_max_tx_duration)",
      }),
      graph(
        "Locks by mode",
        "short",
        "Held and waited for, all databases.",
        { "{{mode}}": "sum by (mode) (pg_locks_count)" },
        { stacked: true },
      ),
      graph(
        "Waiting and deadlocked",
        "short",
        "Sessions that wait for a lock; deadlocks and conflicts within 15 minutes.",
        {
          waiting: "max(payments_postgres_lock_waiters)",
          deadlocks: "sum(increase(pg_stat_database_deadlocks[15m]))",
          conflicts: "sum(increase(pg_stat_database_conflicts[15m]))",
        },
      ),
    ],
    "Log and disk": [
      graph("Write-ahead log", "Bps", "Bytes written: of all tables, for all are logged.", {
        written: rate("payments_postgres_wal_written_bytes_total"),
      }),
      graph(
        "Write-ahead log on disk",
        "bytes",
        "Near max_wal_size a checkpoint is forced; far above it something holds segments back.",
        { "on disk": "max(pg_wal_size_bytes)" },
      ),
      graph(
        "Checkpoints",
        "short",
        "Within 15 minutes. Requested ones mean that max_wal_size is reached before checkpoint_timeout.",
        {
          "by time":
            "sum(increase(pg_stat_bgwriter_checkpoints_timed_total[15m]) or increase(pg_stat_checkpointer_num_timed_total[15m]))",
          requested:
            "sum(increase(pg_stat_bgwriter_checkpoints_req_total[15m]) or increase(pg_stat_checkpointer_num_requested_total[15m]))",
        },
      ),
      graph("Blocks", "ops", "Found in shared_buffers, or read from the kernel.", {
        hit: rate("pg_stat_database_blks_hit"),
        read: rate("pg_stat_database_blks_read"),
      }),
      graph(
        "Time in reads and writes",
        "percentunit",
        "Seconds a second that sessions spend in reading and writing data files.",
        {
          read: "sum(rate(pg_stat_database_blk_read_time[$__rate_interval])) / 1000",
          write: "sum(rate(pg_stat_database_blk_write_time[$__rate_interval])) / 1000",
        },
      ),
      graph("Temporary files", "Bps", "Sorts and hashes that outgrew work_mem.", {
        written: rate("pg_stat_database_temp_bytes"),
      }),
    ],
    Tables: [
      graph("Largest tables", "bytes", "With their indexes.", {
        "{{relname}}":
          "topk(10, max by (relname) (pg_stat_user_tables_table_size_bytes + pg_stat_user_tables_index_size_bytes))",
      }),
      graph(
        "Most dead rows",
        "short",
        "Until vacuum comes by. Above 100,000 and 20 % of a table: see PostgresDeadTuplesHigh.",
        { "{{relname}}": "topk(10, max by (relname) (pg_stat_user_tables_n_dead_tup))" },
      ),
      graph(
        "Live rows",
        "short",
        "PostgreSQL's estimate, months of txn together.",
        {
          txn: 'sum(max by (relname) (pg_stat_user_tables_n_live_tup{relname=~"txn_[0-9_]+"}))',
          txn_reject: 'max(pg_stat_user_tables_n_live_tup{relname="txn_reject"})',
        },
        { stacked: true },
      ),
      graph("Size by database", "bytes", "Each with all its tables and indexes.", {
        "{{datname}}": "max by (datname) (pg_database_size_bytes)",
      }),
    ],
  },
};
