import { expect, it } from "vitest";
import { population } from "../world/population.js";
import { Prng } from "../world/prng.js";
import { POPULATION } from "../world/world.js";
import { DEFECTS, DefectInjector, DefectSchedule } from "./defects.js";
import { RowBuffer } from "./row_buffer.js";

const { firstTerminal, terminalMerchant } = population();
const FOREIGN_TERMINAL = DEFECTS.findIndex((defect) => defect.class === "foreign_terminal");

it("a foreign terminal exists and is another merchant's, also of a merchant that has many", () => {
  const count = (merchant: number) => (firstTerminal[merchant] ?? 0) - (firstTerminal[merchant - 1] ?? 0);
  const ids = [...Array(POPULATION.merchants).keys()].map((index) => index + 1);
  const largest = ids.reduce((most, id) => (count(id) > count(most) ? id : most));
  const injector = new DefectInjector(new Prng(3));
  for (const merchant of [1, largest, POPULATION.merchants]) {
    const owners = Array.from({ length: 20_000 }, () => {
      const row = Object.assign(new RowBuffer(), { merchant, terminal: 1 });
      injector.apply(FOREIGN_TERMINAL, row);
      return (terminalMerchant[row.terminal - 1] ?? Number.NaN) + 1;
    });
    expect(owners.filter((owner) => Number.isNaN(owner) || owner === merchant)).toEqual([]);
    expect(new Set(owners).size).toBeGreaterThan(POPULATION.merchants * 0.8);
  }
});

it.each([0.001, 0.01, 0.5, 0.999, 1])("defects strike at rate %d, never twice in one place", (rate) => {
  const schedule = new DefectSchedule(rate, new Prng(9));
  const strikes = 5_000;
  for (let i = 0; i < strikes; i++) {
    const before = schedule.nextRow;
    schedule.advance();
    if (schedule.nextRow <= before) {
      throw new Error(`row ${schedule.nextRow} after ${before}`);
    }
  }
  // The mean gap is 1 / rate, its standard deviation √(1 - rate) / rate.
  const relativeError = (schedule.nextRow / strikes) * rate - 1;
  expect(Math.abs(relativeError)).toBeLessThanOrEqual(4 * Math.sqrt((1 - rate) / strikes) + 1 / strikes);
});
