import { codeOf } from "../../../lib/errors.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Account } from "../domain/spend.js";

/** Five times what a large batch holds a campaign for: a busy one is in somebody's hands nearly always, and soon free. */
const PATIENCE = "250ms";
const LOCK_NOT_AVAILABLE = "55P03";

/** Campaigns for events of a batch; those that there are not are in neither. */
export interface Locked {
  readonly accounts: ReadonlyMap<string, Account>;
  /** Somebody has them in hand for longer. */
  readonly held: ReadonlySet<string>;
}

/** Locks campaigns by their ids, in the order that all follow. Who holds one for long keeps nobody waiting but its own events. */
export async function lockCampaigns(tx: Queryable, campaignIds: readonly string[]): Promise<Locked> {
  await tx.query(`SAVEPOINT locking; SET LOCAL lock_timeout = '${PATIENCE}'`);
  try {
    const { rows } = await tx.query<Account>({
      name: "campaigns_lock",
      text: `SELECT ${ACCOUNT} FROM campaigns.campaign WHERE campaign_id = ANY ($1::uuid[])
             ORDER BY campaign_id FOR NO KEY UPDATE`,
      values: [campaignIds],
    });
    return { accounts: accountsOf(rows), held: new Set() };
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) {
      throw error;
    }
    await tx.query("ROLLBACK TO SAVEPOINT locking");
    return lockFree(tx, campaignIds);
  }
}

/** Campaigns as they stand, whoever has them in hand. */
export async function findCampaigns(db: Queryable, campaignIds: readonly string[]): Promise<Locked> {
  const { rows } = await db.query<Account>({
    name: "campaigns_find_accounts",
    text: `SELECT ${ACCOUNT} FROM campaigns.campaign WHERE campaign_id = ANY ($1::uuid[])`,
    values: [campaignIds],
  });
  return { accounts: accountsOf(rows), held: new Set() };
}

async function lockFree(tx: Queryable, campaignIds: readonly string[]): Promise<Locked> {
  const { rows } = await tx.query<{ id: string } & Account>({
    name: "campaigns_lock_free",
    text: `WITH free AS (
             SELECT ${ACCOUNT} FROM campaigns.campaign WHERE campaign_id = ANY ($1::uuid[])
             FOR NO KEY UPDATE SKIP LOCKED
           )
           SELECT c.campaign_id AS id, free.* FROM campaigns.campaign c
           LEFT JOIN free ON free."campaignId" = c.campaign_id
           WHERE c.campaign_id = ANY ($1::uuid[])`,
    values: [campaignIds],
  });
  const isHeld = ({ campaignId }: { readonly campaignId: string | null }) => campaignId === null;
  return {
    accounts: accountsOf(rows.filter((row) => !isHeld(row))),
    held: new Set(rows.filter(isHeld).map(({ id }) => id)),
  };
}

const ACCOUNT = `campaign_id AS "campaignId", currency, budget, spend,
  CASE WHEN ends_at <= now() THEN 'COMPLETED' ELSE state END AS state, coalesce(starts_at <= now(), true) AS started`;

const accountsOf = (rows: readonly Account[]) => new Map(rows.map((row) => [row.campaignId, row]));
