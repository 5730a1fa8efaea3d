import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Registry } from "prom-client";
import { CoreError } from "../core_errors.js";
import type { Logger } from "../observability/log.js";
import { codeLabelOf, messageMetrics } from "../observability/message_metrics.js";
import { createRegistry, register } from "../observability/registry.js";
import type { Settings } from "../settings/base.js";
import { Lifecycle, type Part } from "./lifecycle.js";
import type { Module, Runtime } from "./module.js";
import { Replicas } from "./replicas.js";

export interface ProcessOptions<S extends Settings> {
  readonly settings: S;
  readonly logger: Logger;
  /** By default one that nobody scrapes. */
  readonly registry?: Registry;
  /** What runs: their part of the schema is required, and as labels their error codes stay as they are. */
  readonly modules: readonly Module[];
  /** All that there are; by default those that run. */
  readonly all?: readonly Module[];
}

/** What `payments serve` is inside: a runtime, and the parts that are made with it, under one lifecycle. */
export class Process<S extends Settings = Settings> extends Lifecycle {
  readonly replicas: Replicas;

  constructor(options: ProcessOptions<S>, partsOf: (runtime: Runtime<S>) => readonly Part[]) {
    const { settings, logger, registry = createRegistry(), modules, all = modules } = options;
    const messages = register(registry, messageMetrics);
    for (const result of ["ok", "failed"]) {
      messages.heartbeats.inc({ result }, 0);
    }
    // An alert looks at the increase: a series that begins with its first event has none.
    messages.outageWaits.inc({ code: "SQLSTATE_53" }, 0);
    const codes = [CoreError.table, ...modules.map(({ errors }) => errors)].flatMap(Object.keys);
    const families = all.flatMap(({ queues }) => queues);
    const replicas = new Replicas({ settings, logger, metrics: messages });
    const runtime = {
      settings,
      logger,
      registry,
      modules,
      families,
      messages,
      replicas,
      codeLabel: codeLabelOf(codes),
      workerId: `${hostname().slice(0, 24)}:${process.pid}:${randomBytes(4).toString("hex")}`,
    };
    super((stopping) => [...partsOf({ ...runtime, stopping }), replicas]);
    this.replicas = replicas;
  }
}
