import { type DashboardSpec, prom, rate } from "./panels.js";

const byQueue = (metric: string) => `sum by (queue) (rabbitmq_detailed_queue_${metric})`;

export const rabbitmq: DashboardSpec = {
  uid: "payments-rabbitmq",
  title: "Payments - RabbitMQ",
  description: "The broker by its own metrics, RabbitMQ 3.10 and 4.x: queues, rates, alarms, room.",
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
          description: "1: its metrics can be had. 0: see RabbitMQDown.",
          queries: [prom('min(up{job="rabbitmq"})')],
          thresholds: [1, 0.5],
        },
        {
          kind: "stat",
          title: "Version",
          unit: "short",
          description: "Of each node.",
          queries: [prom("count by (rabbitmq_version) (rabbitmq_build_info)", "{{rabbitmq_version}}")],
        },
        {
          kind: "stat",
          title: "Alarms",
          unit: "short",
          description:
            "Memory or disk; while there is one, publishers are blocked. See RabbitMQMemoryAlarm and RabbitMQDiskAlarm.",
          queries: [
            prom(
              "sum(rabbitmq_alarms_memory_used_watermark) + sum(rabbitmq_alarms_free_disk_space_watermark)",
            ),
          ],
          thresholds: [1, 1],
        },
        {
          kind: "stat",
          title: "Waiting",
          unit: "short",
          description: "Ready messages in the work queue; a run keeps no more than its window there.",
          queries: [prom('sum(rabbitmq_detailed_queue_messages_ready{queue="etl_queue"})')],
          thresholds: [500, 1000],
        },
        {
          kind: "stat",
          title: "Dead letters",
          unit: "short",
          description: "payments dlq list shows them. See DeadLetters.",
          queries: [prom("sum(payments:dead_letters:sum)")],
          thresholds: [1, 100],
        },
        {
          kind: "stat",
          title: "Consumers",
          unit: "short",
          description: "Of the work queue; 0 with messages waiting: see RabbitMQNoConsumers.",
          queries: [prom('sum(rabbitmq_detailed_queue_consumers{queue="etl_queue"})')],
        },
      ],
    },
    {
      title: "Queues",
      panels: [
        {
          kind: "graph",
          title: "Ready by queue",
          unit: "short",
          stacked: true,
          description: "Waiting to be taken; in etl_queue.retry.* waiting for their delay.",
          queries: [prom(byQueue("messages_ready"), "{{queue}}")],
        },
        {
          kind: "graph",
          title: "Unacknowledged by queue",
          unit: "short",
          stacked: true,
          description:
            "In the hands of workers, at most WORKER_CONCURRENCY each. See RabbitMQUnackedTooHigh.",
          queries: [prom(byQueue("messages_unacked"), "{{queue}}")],
        },
        {
          kind: "graph",
          title: "Consumers by queue",
          unit: "short",
          description: "One a worker on etl_queue.",
          queries: [prom(byQueue("consumers"), "{{queue}}")],
        },
        {
          kind: "graph",
          title: "Stuck dead letters",
          unit: "short",
          description:
            "Messages on their way to another queue that does not take them. See DeadLetteringStuck.",
          queries: [prom("payments:stuck_dead_lettering:sum", "{{queue}}")],
        },
      ],
    },
    {
      title: "Messages",
      panels: [
        {
          kind: "graph",
          title: "Published, delivered, acknowledged",
          unit: "mps",
          description: "The three lines run together in a healthy run.",
          queries: [
            prom(rate("rabbitmq_global_messages_received_total"), "published"),
            prom(rate("rabbitmq_global_messages_delivered_total"), "delivered"),
            prom(rate("rabbitmq_global_messages_acknowledged_total"), "acknowledged"),
          ],
        },
        {
          kind: "graph",
          title: "Confirmed",
          unit: "mps",
          description: "Received with a confirm asked for, and confirmed.",
          queries: [
            prom(rate("rabbitmq_global_messages_received_confirm_total"), "asked"),
            prom(rate("rabbitmq_global_messages_confirmed_total"), "confirmed"),
          ],
        },
        {
          kind: "graph",
          title: "Redelivered",
          unit: "mps",
          description: "Came back from a worker that died, stopped or lost its connection.",
          queries: [prom(rate("rabbitmq_global_messages_redelivered_total"), "redelivered")],
        },
        {
          kind: "graph",
          title: "Dead-lettered by the broker",
          unit: "mps",
          description: "expired: the retry ladder's way back. delivery_limit: poison that kills its worker.",
          queries: [
            prom(rate("rabbitmq_global_messages_dead_lettered_expired_total"), "expired"),
            prom(rate("rabbitmq_global_messages_dead_lettered_rejected_total"), "rejected"),
            prom(rate("rabbitmq_global_messages_dead_lettered_delivery_limit_total"), "delivery_limit"),
            prom(rate("rabbitmq_global_messages_dead_lettered_confirmed_total"), "confirmed"),
          ],
        },
        {
          kind: "graph",
          title: "Unroutable",
          unit: "mps",
          description: "Found no queue: returned to their publisher, or dropped. See RabbitMQUnroutable.",
          queries: [
            prom(rate("rabbitmq_global_messages_unroutable_returned_total"), "returned"),
            prom(rate("rabbitmq_global_messages_unroutable_dropped_total"), "dropped"),
          ],
        },
        {
          kind: "graph",
          title: "Connections and channels",
          unit: "short",
          description: "A worker has two connections, to publish and to consume.",
          queries: [
            prom("sum(rabbitmq_connections)", "connections"),
            prom("sum(rabbitmq_channels)", "channels"),
          ],
        },
      ],
    },
    {
      title: "Room",
      panels: [
        {
          kind: "graph",
          title: "Memory",
          unit: "bytes",
          description: "Above the limit the broker blocks publishers.",
          queries: [
            prom("sum(rabbitmq_process_resident_memory_bytes)", "used"),
            prom("sum(rabbitmq_resident_memory_limit_bytes)", "limit"),
          ],
        },
        {
          kind: "graph",
          title: "Disk free",
          unit: "bytes",
          description: "Below the limit the broker blocks publishers.",
          queries: [
            prom("min(rabbitmq_disk_space_available_bytes)", "free"),
            prom("max(rabbitmq_disk_space_available_limit_bytes)", "limit"),
          ],
        },
        {
          kind: "graph",
          title: "File descriptors",
          unit: "short",
          description: "Of the node, and how many it may open.",
          queries: [
            prom("sum(rabbitmq_process_open_fds)", "open"),
            prom("sum(rabbitmq_process_max_fds)", "limit"),
          ],
        },
        {
          kind: "graph",
          title: "Uptime",
          unit: "s",
          description: "Of the node; back at 0 after a restart.",
          queries: [prom("min(rabbitmq_erlang_uptime_seconds)", "uptime")],
        },
      ],
    },
  ],
};
