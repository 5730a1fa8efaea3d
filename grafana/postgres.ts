import { type DashboardSpec, prom, rate } from "./panels.js";

export const postgres: DashboardSpec = {
  uid: "payments-postgres",
  title: "Payments - Postgres Overview",
  description: "PostgreSQL by its own statistics, through postgres_exporter 0.11 or 0.20.",
  from: "now-1h",
  to: "now",
  refresh: "15s",
  rows: [
    {
      title: "At a glance",
      panels: [
        {
          kind: "stat",
          title: "Up",
          unit: "short",
          description: "1: it answers the exporter. 0: see PostgresDown.",
          queries: [prom("min(pg_up)")],
          thresholds: [1, 0.5],
        },
        {
          kind: "stat",
          title: "Uptime",
          unit: "s",
          description: "Since the server was started.",
          queries: [prom("time() - max(pg_postmaster_start_time_seconds)")],
        },
        {
          kind: "stat",
          title: "Connections",
          unit: "percentunit",
          description: "Share of max_connections in use. Above 80 %: see PostgresConnectionsHigh.",
          queries: [prom("max(payments:postgres_connections:ratio)")],
          thresholds: [0.6, 0.8],
        },
        {
          kind: "stat",
          title: "Databases",
          unit: "bytes",
          description: "Size of all databases.",
          queries: [prom("sum(pg_database_size_bytes)")],
        },
        {
          kind: "stat",
          title: "Read from cache",
          unit: "percentunit",
          description:
            "Share of blocks found in shared_buffers over 5 minutes; a bulk load writes more than it reads, so low values during loads are normal.",
          queries: [
            prom(
              "sum(rate(pg_stat_database_blks_hit[5m])) / clamp_min(sum(rate(pg_stat_database_blks_hit[5m]) + rate(pg_stat_database_blks_read[5m])), 1e-9)",
            ),
          ],
        },
        {
          kind: "stat",
          title: "Disk free",
          unit: "bytes",
          description:
            "On the disk that PostgreSQL and RabbitMQ share, as RabbitMQ sees it. Below 5 GB: see DiskSpaceLow.",
          queries: [prom("min(rabbitmq_disk_space_available_bytes)")],
          thresholds: [20e9, 5e9],
        },
      ],
    },
    {
      title: "Work",
      panels: [
        {
          kind: "graph",
          title: "Transactions a second",
          unit: "ops",
          description: "Committed and rolled back, all databases.",
          queries: [
            prom(rate("pg_stat_database_xact_commit"), "committed"),
            prom(rate("pg_stat_database_xact_rollback"), "rolled back"),
          ],
        },
        {
          kind: "graph",
          title: "Rolled back",
          unit: "percentunit",
          max: 1,
          description: "Share of all transactions over 5 minutes. Above 10 %: see PostgresRollbackRatioHigh.",
          queries: [prom("payments:postgres_rollbacks:ratio5m", "rolled back")],
        },
        {
          kind: "graph",
          title: "Rows written a second",
          unit: "rowsps",
          description:
            "COPY and INSERT … SELECT count as inserts. A row that is added to a month published before counts twice: when it is staged, and then.",
          queries: [
            prom(rate("pg_stat_database_tup_inserted"), "inserted"),
            prom(rate("pg_stat_database_tup_updated"), "updated"),
            prom(rate("pg_stat_database_tup_deleted"), "deleted"),
          ],
        },
        {
          kind: "graph",
          title: "Rows read a second",
          unit: "rowsps",
          description: "Returned by scans; fetched through indexes.",
          queries: [
            prom(rate("pg_stat_database_tup_returned"), "returned"),
            prom(rate("pg_stat_database_tup_fetched"), "fetched"),
          ],
        },
        {
          kind: "graph",
          title: "Sessions by state",
          unit: "short",
          stacked: true,
          description: "Idle in transaction for long holds back vacuum and publishing.",
          queries: [prom("sum by (state) (pg_stat_activity_count)", "{{state}}")],
        },
        {
          kind: "graph",
          title: "Longest transaction",
          unit: "s",
          description: "By database. Above half an hour: see PostgresLongTransaction.",
          queries: [prom("max by (datname) (pg_stat_activity_max_tx_duration)", "{{datname}}")],
        },
        {
          kind: "graph",
          title: "Locks by mode",
          unit: "short",
          stacked: true,
          description: "Held and waited for, all databases.",
          queries: [prom("sum by (mode) (pg_locks_count)", "{{mode}}")],
        },
        {
          kind: "graph",
          title: "Waiting and deadlocked",
          unit: "short",
          description: "Sessions that wait for a lock; deadlocks and conflicts within 15 minutes.",
          queries: [
            prom("max(payments_postgres_lock_waiters)", "waiting"),
            prom("sum(increase(pg_stat_database_deadlocks[15m]))", "deadlocks"),
            prom("sum(increase(pg_stat_database_conflicts[15m]))", "conflicts"),
          ],
        },
      ],
    },
    {
      title: "Log and disk",
      panels: [
        {
          kind: "graph",
          title: "Write-ahead log",
          unit: "Bps",
          description: "Bytes written: of all tables, for all are logged.",
          queries: [prom(rate("payments_postgres_wal_written_bytes_total"), "written")],
        },
        {
          kind: "graph",
          title: "Write-ahead log on disk",
          unit: "bytes",
          description:
            "Near max_wal_size a checkpoint is forced; far above it something holds segments back.",
          queries: [prom("max(pg_wal_size_bytes)", "on disk")],
        },
        {
          kind: "graph",
          title: "Checkpoints",
          unit: "short",
          description:
            "Within 15 minutes. Requested ones mean that max_wal_size is reached before checkpoint_timeout.",
          queries: [
            prom(
              "sum(increase(pg_stat_bgwriter_checkpoints_timed_total[15m]) or increase(pg_stat_checkpointer_num_timed_total[15m]))",
              "by time",
            ),
            prom(
              "sum(increase(pg_stat_bgwriter_checkpoints_req_total[15m]) or increase(pg_stat_checkpointer_num_requested_total[15m]))",
              "requested",
            ),
          ],
        },
        {
          kind: "graph",
          title: "Blocks",
          unit: "ops",
          description: "Found in shared_buffers, or read from the kernel.",
          queries: [
            prom(rate("pg_stat_database_blks_hit"), "hit"),
            prom(rate("pg_stat_database_blks_read"), "read"),
          ],
        },
        {
          kind: "graph",
          title: "Time in reads and writes",
          unit: "percentunit",
          description: "Seconds a second that sessions spend in reading and writing data files.",
          queries: [
            prom("sum(rate(pg_stat_database_blk_read_time[$__rate_interval])) / 1000", "read"),
            prom("sum(rate(pg_stat_database_blk_write_time[$__rate_interval])) / 1000", "write"),
          ],
        },
        {
          kind: "graph",
          title: "Temporary files",
          unit: "Bps",
          description: "Sorts and hashes that outgrew work_mem.",
          queries: [prom(rate("pg_stat_database_temp_bytes"), "written")],
        },
      ],
    },
    {
      title: "Tables",
      panels: [
        {
          kind: "graph",
          title: "Largest tables",
          unit: "bytes",
          description: "With their indexes.",
          queries: [
            prom(
              "topk(10, max by (relname) (pg_stat_user_tables_table_size_bytes + pg_stat_user_tables_index_size_bytes))",
              "{{relname}}",
            ),
          ],
        },
        {
          kind: "graph",
          title: "Most dead rows",
          unit: "short",
          description:
            "Until vacuum comes by. Above 100,000 and 20 % of a table: see PostgresDeadTuplesHigh.",
          queries: [prom("topk(10, max by (relname) (pg_stat_user_tables_n_dead_tup))", "{{relname}}")],
        },
        {
          kind: "graph",
          title: "Live rows",
          unit: "short",
          stacked: true,
          description: "PostgreSQL's estimate, months of txn together.",
          queries: [
            prom('sum(max by (relname) (pg_stat_user_tables_n_live_tup{relname=~"txn_[0-9_]+"}))', "txn"),
            prom('max(pg_stat_user_tables_n_live_tup{relname="txn_reject"})', "txn_reject"),
          ],
        },
        {
          kind: "graph",
          title: "Size by database",
          unit: "bytes",
          description: "Each with all its tables and indexes.",
          queries: [prom("max by (datname) (pg_database_size_bytes)", "{{datname}}")],
        },
      ],
    },
  ],
};
