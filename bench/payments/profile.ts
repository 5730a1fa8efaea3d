import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../lib/root.js";

/** A profile of V8, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Which node each sample was in, and the µs that passed since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Time that a function, or a part of the program, took for itself. */
export interface SelfTime {
  readonly name: string;
  readonly us: number;
}

export interface Summary {
  readonly functions: readonly SelfTime[];
  /** By package, folder of ours or part of Node. */
  readonly parts: readonly SelfTime[];
  readonly totalUs: number;
}

/** Profiles of all processes that left one in the folder, in one. */
export async function readProfiles(folder: string): Promise<Summary> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile"));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  return summarise(texts.map((text) => JSON.parse(text) as CpuProfile));
}

/** What is not idle, most first. */
export function summarise(profiles: readonly CpuProfile[]): Summary {
  const functions = new Map<string, number>();
  const parts = new Map<string, number>();
  for (const { nodes, samples, timeDeltas } of profiles) {
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
    for (const [i, id] of samples.entries()) {
      const frame = frames.get(id);
      if (frame === undefined || frame.functionName === "(idle)") {
        continue;
      }
      const { functionName, lineNumber } = frame;
      const at = placeOf(frame.url);
      const us = Math.max(0, timeDeltas[i] ?? 0);
      add(
        functions,
        at === "" ? functionName : `${functionName || "(anonymous)"} ${at}:${lineNumber + 1}`,
        us,
      );
      add(parts, partOf(functionName, at), us);
    }
  }
  const totalUs = [...parts.values()].reduce((sum, us) => sum + us, 0);
  return { functions: sorted(functions), parts: sorted(parts), totalUs };
}

function add(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}

const sorted = (times: ReadonlyMap<string, number>): SelfTime[] =>
  [...times].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);

const ROOT = `${packageRoot}/`;

/** A path from the checkout's root, or a module of Node. */
function placeOf(url: string): string {
  return url
    .replace(/^file:\/\//, "")
    .replace(ROOT, "")
    .replace(/^dist\//, "");
}

/** `node_modules/pg`, `services/wallet`, `lib/messaging`, `node:net`, `(garbage collector)`, `native`. */
function partOf(functionName: string, place: string): string {
  if (place === "") {
    return functionName.startsWith("(") ? functionName : "native";
  }
  if (place.startsWith("node:")) {
    return place.replace(/^(node:(?:internal\/)?\w+).*/, "$1");
  }
  const [first = "", second = "", third = ""] = place.split("/");
  return second.startsWith("@") ? `${first}/${second}/${third}` : `${first}/${second}`;
}
