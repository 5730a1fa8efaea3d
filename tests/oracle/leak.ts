import { FraudEpisodes } from "../../etl/generate/fraud.js";
import { LegitimateTraffic } from "../../etl/generate/legitimate.js";
import { RowBuffer } from "../../etl/generate/row_buffer.js";
import { LeakAudit, type LeakReport } from "../../etl/leak/audit.js";
import { chunkOf, planRun } from "../../etl/plan.js";
import type { PlannedSpec } from "../../etl/spec.js";
import { population, SEGMENTS } from "../../etl/world/population.js";
import { Prng } from "../../etl/world/prng.js";
import { CATEGORIES, COUNTRIES } from "../../etl/world/world.js";
import { CHANNELS, CURRENCIES, KINDS, NETWORKS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";

/** For tests only: audits what the generator draws, without a database and without dirt. */
export function auditOf(spec: PlannedSpec, honestOneIn: number): LeakReport {
  const people = population();
  const audit = new LeakAudit(honestOneIn);
  const plan = planRun(spec);
  const row = new RowBuffer();
  for (let chunkNo = 0; chunkNo < plan.chunks; chunkNo++) {
    const chunk = chunkOf(plan, spec, chunkNo);
    const stream = (n: number) => new Prng(spec.seed, spec.firstTxnId, chunkNo, n);
    const traffic = new LegitimateTraffic(chunk, stream(1));
    const episodes = new FraudEpisodes({
      rate: spec.fraudRate,
      difficulty: spec.fraudDifficulty,
      rows: chunk.toRow - chunk.fromRow,
      rng: stream(2),
    });
    for (let i = 0; i < chunk.toRow - chunk.fromRow; i++) {
      row.txnId = chunk.firstTxnId + i;
      traffic.draw(row, i);
      episodes.apply(row);
      traffic.roundToCoins(row);
      traffic.remember(row);
      const [account, merchant] = [row.account - 1, row.merchant - 1];
      audit.add({
        timeMs: row.timeMs,
        account: row.account,
        merchant: row.merchant,
        amount: row.cents / 100,
        currency: CURRENCIES[row.currency] ?? "",
        kind: KINDS[row.kind] ?? "",
        channel: CHANNELS[row.channel] ?? "",
        network: NETWORKS[row.network] ?? "",
        status: STATUSES[row.status] ?? "",
        response: RESPONSE_CODES[row.response] ?? "",
        fraud: row.fraud === 1,
        accountFacts: {
          account_country: COUNTRIES[people.accountCountry[account] ?? 0]?.code ?? "",
          account_segment: SEGMENTS[people.accountSegment[account] ?? 0] ?? "",
          account_spending_level: people.accountLevel[account] ?? 0,
        },
        merchantFacts: {
          merchant_country: COUNTRIES[people.merchantCountry[merchant] ?? 0]?.code ?? "",
          merchant_category: CATEGORIES[people.merchantCategory[merchant] ?? 0]?.name ?? "",
          merchant_price_level: people.merchantLevel[merchant] ?? 0,
        },
      });
    }
  }
  return audit.report();
}
