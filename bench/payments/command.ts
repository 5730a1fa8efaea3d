import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { auditOf } from "../audit.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { besideDumps } from "./dumping.js";
import { Fleet, LAYOUTS, type Layout, seedCustomers } from "./fleet.js";
import { isBorne, type Measured, renderPayments, type SteadyFigures } from "./goals.js";
import { type Load, measureLoad, type PaymentFigures } from "./measure.js";
import { readProfiles } from "./profile.js";
import { measureWallet, WALLET_LOADS, type WalletLoad } from "./wallet.js";

export const PARTS = ["steady", "capacity", "wallet"] as const;

export interface PaymentsOptions {
  readonly only: readonly (typeof PARTS)[number][];
  readonly layouts: readonly Layout[];
  readonly ratePerMin: number;
  readonly seconds: number;
  readonly profile: boolean;
}

/** So that code is compiled and connections stand: at half of the rate. */
const WARM_UP_S = 5;
const STEP_S = 15;
const FIRST_STEP_PER_MIN = 40_000;
const STEP_PER_MIN = 10_000;
const LAST_STEP_PER_MIN = 300_000;

/** Payments through all services, at a steady rate, up to where they break, and the wallet alone. */
export async function benchPayments(stack: Stack, report: Report, options: PaymentsOptions): Promise<void> {
  const { only, layouts, ratePerMin, seconds, profile } = options;
  let measured: Measured = { steady: [], wallet: [] };
  const add = async (more: Partial<Measured>) => {
    measured = { ...measured, ...more };
    await report.save({ options, ...measured });
  };
  if (profile) {
    await profileOf(stack, report, { ratePerMin, seconds, seed: 1 });
    return;
  }
  if (only.includes("wallet")) {
    for (const load of Object.keys(WALLET_LOADS) as WalletLoad[]) {
      report.say(`wallet alone, ${load}`);
      const figures = await prepared(stack, () => measureWallet(stack, load));
      report.say(`  ${formatCount(figures.debitsPerS)} debits/s`);
      await add({ wallet: [...measured.wallet, figures] });
    }
  }
  if (only.includes("steady")) {
    for (const layout of layouts) {
      report.say(`layout ${layout}: ${formatCount(ratePerMin)} a minute for ${seconds} s`);
      const figures = await steady(stack, layout, { ratePerMin, seconds, seed: 1 });
      report.say(describe(figures));
      for (const difference of figures.differences.slice(0, 5)) {
        report.say(`  audit: ${difference}`);
      }
      await add({ steady: [...measured.steady, figures] });
    }
  }
  if (only.includes("capacity")) {
    await add({ capacity: await capacityOf(stack, report) });
  }
  report.print(renderPayments(measured));
}

/** On a database with customers, and a vhost without a message. */
function prepared<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  return stack.withDatabase(async () => {
    await stack.emptyVhost();
    await seedCustomers(stack);
    return work();
  });
}

const warmUp = (stack: Stack, fleet: Fleet, ratePerMin: number) =>
  measureLoad(stack, fleet, { ratePerMin: ratePerMin / 2, seconds: WARM_UP_S, seed: 0 });

function steady(stack: Stack, layout: Layout, load: Load): Promise<SteadyFigures> {
  return prepared(stack, async () => {
    const figures = await Fleet.with(stack, { processes: LAYOUTS[layout] }, async (fleet) => {
      await warmUp(stack, fleet, load.ratePerMin);
      await stack.checkpoint();
      const measure = () => measureLoad(stack, fleet, load);
      return layout === "dump" ? besideDumps(stack, measure) : measure();
    });
    return { ...figures, layout, differences: await auditOf(stack, figures.traffic) };
  });
}

/** Rates a minute in steps, until one is not borne. */
function capacityOf(stack: Stack, report: Report): Promise<NonNullable<Measured["capacity"]>> {
  return prepared(stack, () =>
    Fleet.with(stack, { processes: LAYOUTS.one }, async (fleet) => {
      await warmUp(stack, fleet, FIRST_STEP_PER_MIN);
      let borne = 0;
      for (let rate = FIRST_STEP_PER_MIN; rate <= LAST_STEP_PER_MIN; rate += STEP_PER_MIN) {
        const figures = await measureLoad(stack, fleet, { ratePerMin: rate, seconds: STEP_S, seed: rate });
        report.say(`capacity: ${formatCount(rate)} a minute: ${describe(figures)}`);
        if (!isBorne(figures)) {
          return { borne, notBorne: rate };
        }
        borne = rate;
      }
      return { borne, notBorne: undefined };
    }),
  );
}

/** Where a payment's time goes in the services' process. Its own figures are not told: a profile slows what it looks at. */
async function profileOf(stack: Stack, report: Report, load: Load): Promise<void> {
  const folder = join(stack.dir, "bench", "profile");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const created = await prepared(stack, () =>
    Fleet.with(stack, { processes: LAYOUTS.one, profileTo: folder }, async (fleet) => {
      const figures = await measureLoad(stack, fleet, load);
      report.say(describe(figures));
      return figures.created;
    }),
  );
  const { functions, parts, totalUs } = await readProfiles(folder);
  await report.save({ load, created, functions: functions.slice(0, 200), parts });
  const rowsOf = (times: typeof parts) => times.map(({ name, us }) => [name, (us / created).toFixed(1)]);
  report.print(`${formatTable(["part", "us a payment"], rowsOf(parts.slice(0, 40)))}\n`);
  report.print(formatTable(["function", "us a payment"], rowsOf(functions.slice(0, 60))));
  report.print(`\nall: ${(totalUs / created).toFixed(0)} us a payment, with the start of the process`);
}

function describe({
  sent,
  created,
  pending,
  postMs,
  settledMs,
  drainedS,
  cpuUs,
  failures,
}: PaymentFigures): string {
  const { node, rabbitmq, postgres, generator } = cpuUs;
  const failed = Object.entries(failures).map(([what, count]) => `, ${count} × ${what}`);
  return (
    `${formatCount(created)} of ${formatCount(sent)} created, ${pending} pending; POST p50 ${postMs.p50}, p95 ${postMs.p95} ms; ` +
    `settled p95 ${settledMs.p95.toFixed(0)} ms, drained in ${drainedS.toFixed(1)} s; ` +
    `CPU us node ${node}, rabbitmq ${rabbitmq}, postgres ${postgres}, generator ${generator}${failed.join("")}`
  );
}
