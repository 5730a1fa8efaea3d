import { graph, rate, stat } from "../lib/observability/panels.js";
import type { DashboardSpec } from "./panels.js";

const byQueue = (metric: string) => `sum by (queue) (rabbitmq_detailed_queue_${metric})`;

export const rabbitmq: DashboardSpec = {
  uid: "payments-rabbitmq",
  title: "Payments - RabbitMQ",
  description: "The broker by its own metrics, RabbitMQ 3.10 and 4.x: queues, rates, alarms, room.",
  rows: {
    "At a glance": [
      stat("Up", "short", "1: its metrics can be had. 0: see RabbitMQDown.", 'min(up{job="rabbitmq"})', {
        thresholds: [1, 0.5],
      }),
      stat("Version", "short", "Of each node.", {
        "{{rabbitmq_version}}": "count by (rabbitmq_version) (rabbitmq_build_info)",
      }),
      stat(
        "Alarms",
        "short",
        "Memory or disk; while there is one, publishers are blocked. See RabbitMQMemoryAlarm and RabbitMQDiskAlarm.",
        "sum(rabbitmq_alarms_memory_used_watermark) + sum(rabbitmq_alarms_free_disk_space_watermark)",
        { thresholds: [1, 1] },
      ),
      stat(
        "Waiting",
        "short",
        "Ready messages in the work queue; a run keeps no more than its window there.",
        'sum(rabbitmq_detailed_queue_messages_ready{queue="etl_queue"})',
        { thresholds: [500, 1000] },
      ),
      stat(
        "Dead letters",
        "short",
        "payments dlq list shows them. See DeadLetters.",
        "sum(payments:dead_letters:sum)",
        { thresholds: [1, 100] },
      ),
      stat(
        "Consumers",
        "short",
        "Of the work queue; 0 with messages waiting: see RabbitMQNoConsumers.",
        'sum(rabbitmq_detailed_queue_consumers{queue="etl_queue"})',
      ),
    ],
    Queues: [
      graph(
        "Ready by queue",
        "short",
        "Waiting to be taken; in etl_queue.retry.* waiting for their delay.",
        { "{{queue}}": byQueue("messages_ready") },
        { stacked: true },
      ),
      graph(
        "Unacknowledged by queue",
        "short",
        "In the hands of workers, at most WORKER_CONCURRENCY each. See RabbitMQUnackedTooHigh.",
        { "{{queue}}": byQueue("messages_unacked") },
        { stacked: true },
      ),
      graph("Consumers by queue", "short", "One a worker on etl_queue.", {
        "{{queue}}": byQueue("consumers"),
      }),
      graph(
        "Stuck dead letters",
        "short",
        "Messages on their way to another queue that does not take them. See DeadLetteringStuck.",
        { "{{queue}}": "payments:stuck_dead_lettering:sum" },
      ),
    ],
    Messages: [
      graph("Published, delivered, acknowledged", "mps", "The three lines run together in a healthy run.", {
        published: rate("rabbitmq_global_messages_received_total"),
        delivered: rate("rabbitmq_global_messages_delivered_total"),
        acknowledged: rate("rabbitmq_global_messages_acknowledged_total"),
      }),
      graph("Confirmed", "mps", "Received with a confirm asked for, and confirmed.", {
        asked: rate("rabbitmq_global_messages_received_confirm_total"),
        confirmed: rate("rabbitmq_global_messages_confirmed_total"),
      }),
      graph("Redelivered", "mps", "Came back from a worker that died, stopped or lost its connection.", {
        redelivered: rate("rabbitmq_global_messages_redelivered_total"),
      }),
      graph(
        "Dead-lettered by the broker",
        "mps",
        "expired: the retry ladder's way back. delivery_limit: poison that kills its worker.",
        {
          expired: rate("rabbitmq_global_messages_dead_lettered_expired_total"),
          rejected: rate("rabbitmq_global_messages_dead_lettered_rejected_total"),
          delivery_limit: rate("rabbitmq_global_messages_dead_lettered_delivery_limit_total"),
          confirmed: rate("rabbitmq_global_messages_dead_lettered_confirmed_total"),
        },
      ),
      graph(
        "Unroutable",
        "mps",
        "Found no queue: returned to their publisher, or dropped. See RabbitMQUnroutable.",
        {
          returned: rate("rabbitmq_global_messages_unroutable_returned_total"),
          dropped: rate("rabbitmq_global_messages_unroutable_dropped_total"),
        },
      ),
      graph("Connections and channels", "short", "A worker has two connections, to publish and to consume.", {
        connections: "sum(rabbitmq_connections)",
        channels: "sum(rabbitmq_channels)",
      }),
    ],
    Room: [
      graph("Memory", "bytes", "Above the limit the broker blocks publishers.", {
        used: "sum(rabbitmq_process_resident_memory_bytes)",
        limit: "sum(rabbitmq_resident_memory_limit_bytes)",
      }),
      graph("Disk free", "bytes", "Below the limit the broker blocks publishers.", {
        free: "min(rabbitmq_disk_space_available_bytes)",
        limit: "max(rabbitmq_disk_space_available_limit_bytes)",
      }),
      graph("File descriptors", "short", "Of the node, and how many it may open.", {
        open: "sum(rabbitmq_process_open_fds)",
        limit: "sum(rabbitmq_process_max_fds)",
      }),
      graph("Uptime", "s", "Of the node; back at 0 after a restart.", {
        uptime: "min(rabbitmq_erlang_uptime_seconds)",
      }),
    ],
  },
};
