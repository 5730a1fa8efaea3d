import { defineModule } from "../lib/runtime/module.js";

/** What all services build on in the database; it runs nothing. */
export const platform = defineModule({
  name: "platform",
  schemas: ["ops"],
  roles: ["payments_app"],
  views: [
    "ops.console_dead_letter",
    "ops.console_replay",
    "ops.console_backup",
    "ops.console_drill",
    "ops.console_audit_result",
  ],
  retention: [
    { table: "ops.module_migration", keep: "for ever", why: "What made the schema." },
    {
      table: "ops.erasure",
      keep: "for ever",
      why: "Digests only; no wallet is seeded for an erased name again.",
    },
    { table: "ops.audit_result", keep: "for ever", why: "One row, the latest." },
    { table: "ops.backup", keep: "for ever", why: "A row a backup, also of those that are gone." },
    { table: "ops.restore_drill", keep: "for ever", why: "A row a drill." },
    {
      table: "ops.dead_letter",
      keep: { until: "90 days, the newest 1,000,000: whoever enters a row deletes what is over" },
      why: "A note; the letter itself is in its queue.",
    },
    { table: "ops.dead_letter_action", keep: "for ever", why: "Who replayed or purged what." },
    { table: "ops.dead_letter_action_letter", keep: "for ever", why: "Which letters that was about." },
  ],
});
