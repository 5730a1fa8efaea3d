import { expect, it, vi } from "vitest";
import { newId } from "../../../lib/domain/ids.js";
import type { Report } from "../../contracts/report.js";
import type { Entered } from "../store/new_report.js";
import { enterEach } from "./post_heartbeats.js";

const reports = [1, 2, 3].map((seq) => ({ window_uuid: newId(), seq }) as Report);
const refusal = Object.assign(new Error("out of range"), { code: "22003" });
const enter = async (some: readonly Report[]): Promise<readonly Entered[]> => {
  if (some.some(({ seq }) => seq === 2)) {
    throw refusal;
  }
  return some.map(() => "received");
};

it("refuses one report and takes its neighbours", async () => {
  expect(await enterEach(reports, enter)).toEqual(["received", refusal, "received"]);
});

it("tries nothing twice while PostgreSQL is away", async () => {
  const away = vi.fn(async () => {
    throw Object.assign(new Error("no server"), { code: "ECONNREFUSED" });
  });
  await expect(enterEach(reports, away)).rejects.toThrow("no server");
  expect(away).toHaveBeenCalledTimes(1);
});
