import { PlatformError } from "../lib/errors.js";
import { type Pool, transaction } from "../lib/postgres/pool.js";
import { loadSql, quoteName } from "../lib/postgres/sql.js";
import type { Finding, Module } from "../lib/runtime/module.js";
import type { Settings } from "../lib/settings/base.js";

export interface Difference extends Finding {
  /** The module that says so, or those that disagree. */
  readonly module: string;
}

export interface Audit {
  readonly differences: readonly Difference[];
  /** Why books outside could not be compared, by module; what they would have shown is not among the differences. */
  readonly unread: readonly { readonly module: string; readonly error: PlatformError }[];
}

export interface AuditOptions {
  /** What is in flight may be this old, in seconds; 0: nothing may be in flight. */
  readonly graceS: number;
  /** How old a pending payment may be before it is given up, in seconds. */
  readonly giveUpS: number;
  /** A run of generated traffic, whose answer key is looked at too. */
  readonly trafficId?: number | undefined;
  /** Of the modules: they say where books are that are not in the database. */
  readonly settings: Settings;
}

/** A statement that gives differences. */
interface Source {
  readonly module: string;
  readonly sql: string;
  readonly values?: readonly unknown[];
}

/** What the views of two modules say of the same thing, compared by db/queries/<query>.sql. */
const ACROSS = [
  { modules: ["payments", "wallet"], query: "audit_payments" },
  { modules: ["collector", "payouts"], query: "audit_partner_payouts" },
  { modules: ["collector", "campaigns"], query: "audit_partner_spends" },
  { modules: ["payouts", "reports"], query: "audit_report_payouts" },
  { modules: ["campaigns", "reports"], query: "audit_report_campaigns" },
] as const;

/** What must have come of generated traffic, by its kinds. */
const ANSWER_KEYS = [
  { module: "traffic, payments", query: "audit_traffic" },
  { module: "traffic, collector", query: "audit_traffic_partners" },
  { module: "traffic, ingest", query: "audit_traffic_lake" },
] as const;

/**
 * Every module's view `<schema>.audit_difference`, what modules say of each other's rows, and what books outside say of theirs, all
 * of one moment here. Views and queries say what must hold; a row is a violation.
 */
export async function audit(
  pool: Pool,
  modules: readonly Module[],
  { graceS, giveUpS, trafficId, settings }: AuditOptions,
): Promise<Audit> {
  const names = new Set(modules.map(({ name }) => name));
  const sources: readonly Source[] = [
    ...modules.flatMap(({ name, views }) =>
      views
        .filter((view) => view.endsWith(".audit_difference"))
        .map((view) => ({
          module: name,
          sql: `SELECT what, expected, found FROM ${quoteName(view)} ORDER BY what`,
        })),
    ),
    ...ACROSS.filter((each) => each.modules.every((name) => names.has(name))).map((each) => ({
      module: each.modules.join(", "),
      sql: loadSql(each.query),
    })),
    ...(trafficId === undefined
      ? []
      : ANSWER_KEYS.map(({ module, query }) => ({ module, sql: loadSql(query), values: [trafficId] }))),
  ];
  return transaction(pool, async (tx) => {
    await tx.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await tx.query(
      `SELECT set_config('payments.audit_grace_s', $1, true), set_config('payments.audit_give_up_s', $2, true)`,
      [String(graceS), String(giveUpS)],
    );
    const differences: Difference[] = [];
    for (const { module, sql, values = [] } of sources) {
      const { rows } = await tx.query<Omit<Difference, "module">>(sql, [...values]);
      differences.push(...rows.map((row) => ({ module, ...row })));
    }
    const unread: { module: string; error: PlatformError }[] = [];
    for (const { name: module, audits, errors } of modules) {
      try {
        const found = (await audits?.(settings as never, tx, graceS)) ?? [];
        differences.push(...found.map((finding) => ({ module, ...finding })));
      } catch (error) {
        if (!(error instanceof PlatformError && error.code in errors)) {
          throw error;
        }
        unread.push({ module, error });
      }
    }
    return { differences, unread };
  });
}
