import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kubernetesFiles } from "../app/generate/kubernetes.js";
import { NO_DEPLOYMENT } from "../app/generate/kubernetes_process.js";
import { MODULES } from "../app/modules.js";
import { loadAllSettings } from "../app/settings.js";
import { DRAIN_MS as CONSUMER_DRAIN_MS } from "../lib/broker/consumer.js";
import { DRAIN_MS as REQUESTS_DRAIN_MS } from "../lib/http/server.js";
import { DRAIN_MS as BATCH_DRAIN_MS } from "../lib/messaging/batch_consumer.js";
import { packageRoot, packageVersion } from "../lib/root.js";
import { DRAIN_MS as STEPS_DRAIN_MS } from "../lib/runtime/consumer_process.js";
import { defineModule } from "../lib/runtime/module.js";
import {
  checkHardening,
  checkImages,
  checkReferences,
  checkSettings,
  forgottenFiles,
  type Manifest,
  ofKind,
  podsOf,
  readManifests,
} from "./harness/kubernetes.js";

const base = readManifests("base");
const keda = readManifests("keda");
const all = [...base, ...keda];
const names = (kind: string) => ofKind(all, kind).map(({ metadata }) => metadata.name);

const checks = {
  hardening: checkHardening,
  settings: checkSettings,
  references: checkReferences,
  images: (objects: readonly Manifest[]) => checkImages(objects, packageVersion()),
};

function object(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = ofKind(objects, kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined) {
    throw new Error(`no ${kind} ${name}`);
  }
  return found;
}
const podOf = (objects: readonly Manifest[], name: string) =>
  new Map(podsOf(objects)).get(name) ?? expect.fail(`no pod of ${name}`);
const containerOf = (objects: readonly Manifest[], name: string) =>
  podOf(objects, name).spec.containers[0] ?? expect.fail(`no container of ${name}`);
const spec = (name: string, parts: object) => (objects: readonly Manifest[]) =>
  Object.assign(podOf(objects, name).spec, parts);
const container = (name: string, parts: object) => (objects: readonly Manifest[]) =>
  Object.assign(containerOf(objects, name), parts);
const restricted = (parts: object) => (objects: readonly Manifest[]) =>
  Object.assign(containerOf(objects, "wallet").securityContext ?? {}, parts);
const setting = (name: string) => (objects: readonly Manifest[]) =>
  Object.assign(object(objects, "ConfigMap", "payments-platform").data ?? {}, { [name]: "x" });

const faults: [check: keyof typeof checks, problem: string, make: (objects: Manifest[]) => void][] = [
  ["hardening", "run as root", spec("wallet", { securityContext: { runAsNonRoot: true } })],
  ["hardening", "system calls", spec("wallet", { securityContext: { runAsNonRoot: true, runAsUser: 1 } })],
  ["hardening", "ask the cluster", spec("audit", { automountServiceAccountToken: undefined })],
  ["hardening", "for settings", spec("migrate", { enableServiceLinks: true })],
  ["hardening", "gain privileges", restricted({ allowPrivilegeEscalation: true })],
  ["hardening", "write to its image", restricted({ readOnlyRootFilesystem: false })],
  ["hardening", "capabilities", restricted({ capabilities: { drop: [] } })],
  ["hardening", "privileged", restricted({ privileged: true })],
  ["hardening", "memory limit", container("backups", { resources: { requests: { cpu: "1" } } })],
  ["hardening", "no CPU", container("wallet", { resources: { limits: { memory: "1Gi" } } })],
  ["settings", "not a setting", setting("HTTP_PROT")],
  ["settings", "a secret in a file", setting("RABBITMQ_PASSWORD")],
  ["settings", "by its name", container("wallet", { env: [{ name: "RABBITMQ_PASSWORD", value: "guest" }] })],
  ["settings", "no settings", container("wallet", { envFrom: [] })],
  ["settings", "Secret in a file", (objects) => objects.push({ kind: "Secret", metadata: { name: "s" } })],
  ["images", "is not of", container("wallet", { image: "payments-platform:0.0.1" })],
  ["images", "is not of", container("wallet", { image: "payments-platform" })],
  [
    "references",
    "no walet",
    (objects) =>
      Object.assign(object(objects, "ScaledObject", "wallet").spec.scaleTargetRef, { name: "walet" }),
  ],
  [
    "references",
    "no pod of walet",
    (objects) =>
      object(objects, "NetworkPolicy", "door").spec.podSelector.matchExpressions[0].values.push("walet"),
  ],
  [
    "references",
    "leads elsewhere",
    (objects) =>
      Object.assign(object(objects, "Service", "wallet").spec, {
        selector: { "app.kubernetes.io/component": "fraud" },
      }),
  ],
];

describe("compose/kubernetes", () => {
  it.each(Object.entries(checks))("passes: %s", (_name, check) => {
    expect(check(all)).toEqual([]);
  });

  it.each(faults)("check of %s finds: %s", (name, problem, make) => {
    const objects = structuredClone(all);
    make(objects);
    expect(checks[name](objects).join("\n")).toContain(problem);
  });

  it("runs every module, or says why not", () => {
    const run = ofKind(base, "Deployment").map(({ metadata }) => containerOf(base, metadata.name).args);
    expect(run.every(([serve]) => serve === "serve")).toBe(true);
    const known = [...run.map(([, name]) => name), ...Object.keys(NO_DEPLOYMENT)];
    expect(known.sort()).toEqual(MODULES.map(({ name }) => name).sort());
    const added = kubernetesFiles([...MODULES, defineModule({ name: "desk" })]);
    expect(Object.keys(added).filter((path) => !Object.hasOwn(kubernetesFiles(MODULES), path))).toEqual([
      "compose/kubernetes/base/services/desk.yaml",
    ]);
  });

  it("lists every file", () => {
    expect(forgottenFiles()).toEqual([]);
  });

  it("has a Service, a budget and one scaler at most for each Deployment", () => {
    const deployments = names("Deployment").sort();
    expect(names("Service").sort()).toEqual(deployments);
    expect(names("PodDisruptionBudget").sort()).toEqual(deployments);
    const text = readFileSync(join(packageRoot, "compose/kubernetes/keda/kustomization.yaml"), "utf8");
    const [, gone = ""] = /kind: HorizontalPodAutoscaler\n {6}name: (\S+)/.exec(text) ?? [];
    const scaled = [
      ...names("HorizontalPodAutoscaler").filter((name) => !gone.split("|").includes(name)),
      ...names("ScaledObject"),
    ];
    expect(scaled.sort()).toEqual(deployments.filter((name) => name !== "metrics"));
  });

  it("lets the door in where there is an API, and nowhere else", () => {
    const [{ values }] = object(base, "NetworkPolicy", "door").spec.podSelector.matchExpressions;
    const routed = MODULES.filter(
      ({ routes, name }) => routes !== undefined && !Object.hasOwn(NO_DEPLOYMENT, name),
    );
    expect(values).toEqual(routed.map(({ name }) => name));
    const [{ http }] = object(base, "Ingress", "payments-platform").spec.rules;
    const paths = http.paths.map(({ path }: { path: string }) => path);
    expect(paths).toContain("/payments");
    expect(paths).toEqual([...new Set(paths)]);
    const backends = http.paths.map(
      ({ backend }: { backend: { service: { name: string } } }) => backend.service.name,
    );
    expect([...new Set(backends)]).toEqual(values);
  });

  it("gives settings that processes take", () => {
    const { data = {} } = object(base, "ConfigMap", "payments-platform");
    const settings = loadAllSettings({ env: data, envFile: "/dev/null" });
    const { rules } = object(base, "Ingress", "payments-platform").spec;
    const called = [rules[0].host, new URL(settings.MONITOR_QUEUE_URL).hostname];
    expect(settings.HTTP_ALLOWED_HOSTS.split(",")).toEqual(called);
    for (const name of names("Deployment")) {
      const { HTTP_PORT, WORKER_METRICS_PORT } = settings;
      const port = name === "worker" ? WORKER_METRICS_PORT : HTTP_PORT;
      expect(containerOf(base, name).ports).toEqual([{ name: "http", containerPort: port }]);
    }
  });

  it("asks what processes answer, and restarts none for an outage of its servers", () => {
    for (const { metadata } of ofKind(base, "Deployment")) {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf(base, metadata.name);
      const module = MODULES.find(({ name }) => name === metadata.name);
      const ready = module?.routes === undefined ? "/readyz" : "/health";
      const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet);
      expect(asked).toEqual(["/readyz", "/livez", ready].map((path) => ({ path, port: "http" })));
    }
  });

  it("kills nobody who still ends in order", () => {
    const { data = {} } = object(base, "ConfigMap", "payments-platform");
    const { HTTP_DRAIN_MS } = loadAllSettings({ env: data, envFile: "/dev/null" });
    // Time for the kubelets and the door to hear of it.
    expect(HTTP_DRAIN_MS).toBeGreaterThanOrEqual(5_000);
    const SPARE_MS = 10_000;
    for (const { name, queues } of MODULES.filter((module) => !Object.hasOwn(NO_DEPLOYMENT, module.name))) {
      // Consumers are stopped one after the other.
      const consumers = Math.max(queues.length * BATCH_DRAIN_MS, CONSUMER_DRAIN_MS, STEPS_DRAIN_MS);
      const { terminationGracePeriodSeconds = 0 } = podOf(base, name === "etl" ? "worker" : name).spec;
      expect(1_000 * terminationGracePeriodSeconds).toBeGreaterThan(
        HTTP_DRAIN_MS + REQUESTS_DRAIN_MS + consumers + SPARE_MS,
      );
    }
  });
});
