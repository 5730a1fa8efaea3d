import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MODULES } from "../app/modules.js";
import { chooseModules } from "../app/serve.js";
import { libpqEnvironment } from "../jobs/backup/address.js";
import { leastNode, packageRoot, packageVersion } from "../lib/root.js";
import {
  type Compose,
  checkContext,
  checkDependencies,
  checkEnvironment,
  checkFiles,
  checkHardening,
  checkImages,
  checkPorts,
  checkRoles,
  checkVariables,
  mergeCompose,
  readCompose,
  type Service,
  stagesOf,
} from "./harness/compose.js";

const read = (path: string) => readFileSync(join(packageRoot, path), "utf8");
const roles = read("db/roles.sql");
const compose = readCompose();
const has = (path: string) => existsSync(join(packageRoot, "compose", path));

/** Every check under its name, as tried on the file and on versions of it with one fault. */
const checks = {
  variables: checkVariables,
  environment: checkEnvironment,
  files: (file: Compose) => checkFiles(file, has),
  dependencies: checkDependencies,
  images: (file: Compose) => checkImages(file, packageVersion()),
  ports: checkPorts,
  hardening: checkHardening,
  roles: (file: Compose) => checkRoles(file, roles),
};

function service(file: Compose, name: string): Service {
  const found = file.services[name];
  if (found === undefined) {
    throw new Error(`no service ${name}`);
  }
  return found;
}

type Fault = [check: keyof typeof checks, problem: string, make: (file: Compose) => void];
const change = (name: string, parts: Partial<Service>) => (file: Compose) =>
  Object.assign(service(file, name), parts);
const without = (name: string, key: keyof Service) => (file: Compose) => delete service(file, name)[key];
const give = (name: string, key: string, value: string | null) => (file: Compose) =>
  Object.assign(service(file, name).environment ?? {}, { [key]: value });
/** `${inner}`, which in a plain string looks like a forgotten template. */
const ref = (inner: string) => `\${${inner}}`;

const faults: Fault[] = [
  ["variables", "neither", give("worker", "STAGE_SEED", ref("STAGE_SEED"))],
  ["variables", "neither", give("worker", "STAGE_SEED", "$STAGE_SEED")],
  ["variables", "neither", give("worker", "STAGE_SEED", ref("STAGE_SEED:?"))],
  ["variables", "without a default", give("seed", "POSTGRES_PASSWORD", ref("POSTGRES_PASSWORD:-x"))],
  ["variables", "without a default", give("seed", "POSTGRES_PASSWORD", ref("COMPOSE_X_PASSWORD:-"))],
  ["variables", "not a setting", give("seed", "POSTGRES_PORT", ref("POSTGRES_PROT:-5432"))],
  ["environment", "plain text", give("rabbitmq", "RABBITMQ_DEFAULT_PASS", "guest")],
  ["environment", "not a setting", give("worker", "STAGE_SEEDS", "1")],
  ["environment", "is given", give("worker", "STAGE_FROM", ref("STAGE_TO:-2026-01-01"))],
  ["environment", "names no service", give("worker", "POSTGRES_HOST", "127.0.0.1")],
  [
    "environment",
    "names no service",
    (file) => Object.assign(service(file, "worker"), { ports: ["127.0.0.1:9464:9464"] }),
  ],
  ["environment", "handed on", give("worker", "STAGE_SEEDS", null)],
  ["environment", "handed on", give("seed", "POSTGRES_PASSWORD", null)],
  ["files", "does not exist", change("postgres", { volumes: ["../db/rolls.sql:/x:ro"] })],
  ["files", "does not exist", change("worker", { build: { context: "..", dockerfile: "Dockerfile" } })],
  ["dependencies", "does not wait", change("worker", { depends_on: { rabbitmq: {} } })],
  ["dependencies", "does not exist", (file) => delete file.services["seed"]],
  ["dependencies", "no healthcheck", without("postgres", "healthcheck")],
  ["dependencies", "restarts", change("seed", { restart: "always" })],
  ["images", "not pinned", change("postgres", { image: "postgres" })],
  ["images", "not pinned", change("postgres", { image: "postgres:latest" })],
  ["images", "not pinned", change("postgres", { image: "postgres:18" })],
  ["images", "not of", change("worker", { image: "payments-platform:0.0.1" })],
  ["ports", "beyond loopback", change("postgres", { ports: ["5432:5432"] })],
  ["ports", "beyond loopback", change("postgres", { ports: ["0.0.0.0:5432:5432"] })],
  ["hardening", "capabilities", without("postgres", "cap_drop")],
  ["hardening", "gain privileges", without("seed", "security_opt")],
  ["hardening", "runs as root", without("rabbitmq", "user")],
  ["hardening", "runs as root", change("worker", { user: "0:0" })],
  ["hardening", "write to its image", without("worker", "read_only")],
  ["hardening", "no init", without("worker", "init")],
  ["hardening", "memory limit", without("worker", "mem_limit")],
  ["hardening", "without bound", without("worker", "logging")],
  ["hardening", "restarts", without("worker", "restart")],
  ["hardening", "too soon", change("worker", { stop_grace_period: "59s" })],
  [
    "roles",
    "lacks backup_password",
    (file) => delete service(file, "roles").environment?.["ROLES_BACKUP_PASSWORD"],
  ],
  ["roles", "does not know", give("roles", "ROLES_OWNER_PASSWORD", "x")],
];

it("a run is the same, started in the worker or from the console", () => {
  const specOf = (name: string) =>
    Object.entries(service(compose, name).environment ?? {}).filter(([key]) => key.startsWith("STAGE_"));
  expect(specOf("worker")).toHaveLength(9);
  expect(specOf("services")).toEqual(specOf("worker"));
  expect(specOf("console")).toEqual(specOf("worker"));
});

describe("docker-compose.yml", () => {
  it.each(Object.entries(checks))("passes: %s", (_name, check) => {
    expect(check(compose)).toEqual([]);
  });

  it("has the services that scripts and documents name", () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      "alertmanager",
      "backup",
      "campaigns-1",
      "campaigns-2",
      "collector",
      "console",
      "fraud",
      "gateway",
      "gateway-simulator",
      "grafana",
      "ingest",
      "metrics",
      "migrate",
      "monitor",
      "monitor-queue",
      "payments",
      "payments-a",
      "payments-b",
      "payments-c",
      "payouts",
      "postgres",
      "postgres-exporter",
      "prometheus",
      "rabbitmq",
      "reports",
      "reports-v1",
      "reports-v2",
      "roles",
      "seed",
      "services",
      "wallet",
      "wallets",
      "worker",
    ]);
  });

  it("runs all services in one container, or with the profile split in one each, behind one door", () => {
    const serving = Object.entries(compose.services).filter(([, { command }]) => command?.[0] === "serve");
    // platform is a schema and nothing that runs; campaigns always has its two nodes.
    const modules = chooseModules([], MODULES).filter(({ name }) => name !== "platform");
    const own = modules.filter(({ name }) => name !== "campaigns");
    const expected = [
      ...own.map(({ name }) => [name, ["serve", name], ["split"]]),
      ["services", ["serve"], undefined],
      ...["gateway-simulator"].map((name) => [name, ["serve", name], undefined]),
      ...["campaigns-1", "campaigns-2"].map((name) => [name, ["serve", "campaigns"], undefined]),
      ...["reports-v1", "reports-v2"].map((name) => [name, ["serve", "reports"], undefined]),
      ...["payments-a", "payments-b", "payments-c"].map((name) => [name, ["serve", "reporter"], undefined]),
    ];
    expect(serving.map(([name, { command, profiles }]) => [name, command, profiles]).sort()).toEqual(
      expected.sort(),
    );
    // The name of a container is a name in DNS; what no backend names is never asked, though events it takes all the same.
    const asked = [...read("compose/haproxy.cfg").matchAll(/server-template own- \d (\w+):8080/g)].map(
      ([, name = ""]) => name,
    );
    const [, job = ""] = /job_name: services$(.*?)job_name:/ms.exec(read("prometheus/prometheus.yml")) ?? [];
    const scraped = [...job.matchAll(/names: \[(.*?)\]/g)].flatMap(([, names = ""]) => names.split(", "));
    const routed = modules.filter(({ routes }) => routes !== undefined).map(({ name }) => name);
    const doors = [...new Set([...routed, "metrics"])].sort();
    expect(asked.sort()).toEqual(doors);
    const apart = [...read("compose/haproxy_split.cfg").matchAll(/(?:use|default)_backend (\w+)/g)];
    expect(apart.map(([, name = ""]) => name).sort()).toEqual(doors);
    const scrapable = [
      ...modules.map(({ name }) => name),
      "services",
      "reports-v1",
      "reports-v2",
      "reporter",
    ];
    expect(scraped.sort()).toEqual(scrapable.sort());
  });

  it.each(["haproxy.cfg", "haproxy_split.cfg", "haproxy_campaigns.cfg"])(
    "has the frontends of %s say who asks",
    (name) => {
      const frontends = read(`compose/${name}`)
        .split(/^(?=frontend |backend |defaults )/m)
        .filter((part) => part.startsWith("frontend "));
      // Set, not added: a caller's own header would be believed.
      const saying = frontends.filter((part) =>
        part.includes("  http-request set-header X-Forwarded-For %[src]\n"),
      );
      expect([frontends.length > 0, saying.length]).toEqual([true, frontends.length]);
      expect(read(`compose/${name}`)).not.toContain("forwardfor");
      expect(compose.services["services"]?.environment).toMatchObject({
        HTTP_TRUSTED_PROXIES: expect.stringContaining("172."),
      });
    },
  );

  it("runs a script that is executable", () => {
    expect(statSync(join(packageRoot, "compose/init-roles.sh")).mode & 0o111).toBe(0o111);
  });

  it.each(faults)("check of %s finds: %s", (name, problem, make) => {
    const file = structuredClone(compose);
    make(file);
    expect(checks[name](file).join("\n")).toContain(problem);
  });
});

describe("scale.yml", () => {
  const scale = readCompose("scale.yml");
  const both = mergeCompose(compose, scale);

  it.each(Object.entries(checks))("read after docker-compose.yml passes: %s", (_name, check) => {
    expect(check(both)).toEqual([]);
  });

  it("runs two of whatever has a container of its own, but what counts for itself", () => {
    const split = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes("split"));
    const expected = ["worker", ...split.map(([name]) => name)].filter((name) => name !== "metrics");
    const doubled = Object.entries(scale.services).filter(([, { deploy }]) => deploy?.replicas === 2);
    expect(doubled.map(([name]) => name).sort()).toEqual(expected.sort());
  });

  it("adds to the primary's command, and takes nothing away", () => {
    const command = service(compose, "postgres").command ?? [];
    expect(service(scale, "postgres").command?.slice(0, command.length)).toEqual(command);
  });

  /** At their defaults: of requests, of events with one to see how it is, of dead letters; of a worker its steps and three to spare. */
  function connectionsOf(name: string): number {
    const module = MODULES.find((each) => each.name === name);
    const settings = Object.entries(module?.settings.schema.parse({}) ?? {});
    const own = settings.filter(([setting]) => /_CONNECTIONS$|^WORKER_CONCURRENCY$/.test(setting));
    const pool = own.reduce((sum, [, count]) => sum + Number(count), 0);
    return pool === 0 ? 1 : pool + (module?.queues.length ?? 0) + 2;
  }

  it("lets the servers have as many connections as all processes may open", () => {
    const processes = Object.entries(both.services).flatMap(([name, { command = [], deploy }]) => {
      const [verb, module = "etl"] = command;
      // One container of all services is not there: --scale services=0.
      const runs = (verb === "serve" && name !== "services") || verb === "worker";
      return runs ? Array.from({ length: deploy?.replicas ?? 1 }, () => module) : [];
    });
    expect(processes.length).toBeGreaterThan(25);
    const wanted = processes.map(connectionsOf).reduce((sum, count) => sum + count, 0);
    for (const name of ["postgres", "postgres-replica"]) {
      const [, most] = /max_connections=(\d+)/.exec(service(scale, name).command?.join(" ") ?? "") ?? [];
      expect(wanted).toBeLessThan(0.8 * Number(most));
    }
    expect(wanted).toBeGreaterThan(0.8 * 100); // else the line could go
  });

  it("streams from the primary of the same version and settings", () => {
    const { image, volumes, entrypoint } = service(scale, "postgres-replica");
    expect(image).toBe(service(compose, "postgres").image);
    expect(volumes).toContain("../db/postgresql.conf:/etc/payments/postgresql.conf:ro");
    expect(entrypoint).toEqual(["/etc/payments/replica.sh"]);
    expect(statSync(join(packageRoot, "compose/replica.sh")).mode & 0o111).toBe(0o111);
  });
});

describe("Dockerfile", () => {
  const dockerfile = read("compose/Dockerfile");
  const problems = (text: string, ignore = read(".dockerignore")) =>
    checkContext(text, (path) => existsSync(join(packageRoot, path)), ignore);

  it("copies what is there and what .dockerignore lets in, on one pinned Node", () => {
    expect(problems(dockerfile)).toEqual([]);
    const node = new Set(stagesOf(dockerfile).filter((image) => image.startsWith("node:")));
    expect([...node]).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-/)]);
    expect(stagesOf(dockerfile).at(-1)).toMatch(/^node:/);
    expect(dockerfile).toMatch(/^USER node\nENTRYPOINT \["payments"\]$/m);
  });

  it("copies all that is compiled or built, but what measures", () => {
    const { include } = JSON.parse(read("tsconfig.json")) as { include: string[] };
    const copied = [...dockerfile.matchAll(/^COPY (\w+) \.\/\1$/gm)].map(([, folder]) => folder);
    const elsewhere = ["bench", "compose", "grafana", "tests"];
    const built = include
      .filter((each) => !each.endsWith(".ts") && !elsewhere.includes(each))
      .concat("console");
    expect(copied.sort()).toEqual(built.sort());
  });

  it.each([
    ["does not exist", "COPY etl ./etl", "COPY elt ./elt"],
    ["shuts out", "COPY etl ./etl", "COPY etl scripts ./"],
    ["for nothing", "COPY etl ./etl\n", ""],
  ])("check finds: %s", (problem, from, to) => {
    expect(problems(dockerfile.replace(from, to)).join("\n")).toContain(problem);
  });

  it("makes backups with the programs of the server's own version, as another user than root", () => {
    const stage = /FROM (\S+) AS backup\n([\s\S]*?)\nFROM /.exec(dockerfile);
    expect(stage?.[1]).toBe(service(compose, "postgres").image);
    expect(stage?.[2]).toMatch(/^USER postgres\nENTRYPOINT \["backups"\]$/m);
  });

  it("gives those programs the authorities of Node.js where they look for them", () => {
    const address = { host: "db", port: 5432, user: "u", password: "", database: "d", rootCert: "" } as const;
    const stage = / AS backup\n([\s\S]*?)\nUSER postgres\n/.exec(dockerfile)?.[1];
    const made = /node -p "(.*)" >(\S+)$/m.exec(stage ?? "");
    const wanted = { PGSSLROOTCERT: made?.[2] };
    expect(libpqEnvironment({ ...address, tls: "verify-full" })).toMatchObject(wanted);
    const pem = execFileSync(process.execPath, ["-p", made?.[1] ?? ""], { encoding: "utf8" });
    expect(pem.match(/^-----BEGIN CERTIFICATE-----$/gm)).toHaveLength(rootCertificates.length);
  });

  it("has a .dockerignore that lets in what is named, and nothing else", () => {
    const ignore = read(".dockerignore");
    expect(problems(dockerfile, ignore.replace("*\n", ""))).not.toEqual([]);
    expect(problems(dockerfile, `${ignore}!.env\n`)).not.toEqual([]);
  });
});

describe("the workflow", () => {
  const workflow = read(".github/workflows/ci.yml");

  it("runs the gate on the least Node that is allowed", () => {
    const { jobs } = parse(workflow) as {
      jobs: { gate: { strategy: { matrix: { node: string[] } }; steps: { run?: string }[] } };
    };
    expect(jobs.gate.steps.map((step) => step.run)).toContain(".ci/run");
    expect(jobs.gate.strategy.matrix.node[0]).toBe(leastNode());
  });

  it("runs every part of the tests at every point, each week and for each tag", () => {
    const [, parts = ""] = /\[((?:\w+\|)+\w+)\]\.\.\./.exec(read("scripts/test.sh")) ?? [];
    const { on, jobs } = parse(workflow) as {
      on: { push: { tags: string[] }; schedule: unknown[] };
      jobs: { whole: { if: string; steps: { run?: string }[] } };
    };
    expect([on.push.tags, on.schedule.length]).toEqual([["v*"], 1]);
    expect(jobs.whole.if).toBe("github.event_name == 'schedule' || github.ref_type == 'tag'");
    const command = `scripts/test.sh --every-point ${parts.replaceAll("|", " ")}`;
    expect(jobs.whole.steps.map((step) => step.run)).toContain(command);
  });

  it("pins every action by commit and may only read", () => {
    const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) {
      expect(action).toMatch(/^[\w/-]+@[0-9a-f]{40}$/);
    }
    expect((parse(workflow) as { permissions: unknown }).permissions).toEqual({ contents: "read" });
  });

  it("makes payments and audits them, by all services in one container and by two of each", () => {
    const { jobs } = parse(workflow) as { jobs: { compose: { steps: { run?: string }[] } } };
    const runs = jobs.compose.steps.map(({ run = "" }) => run);
    const steps = runs.flatMap((run) => {
      const [, scaled, what = ""] = /^docker compose (\$SCALED )?(.*)$/.exec(run) ?? [];
      const [, container, command] = /^exec -T ([\w-]+) payments (\w+)/.exec(what) ?? [];
      const file = scaled === undefined ? compose : mergeCompose(compose, readCompose("scale.yml"));
      const there =
        container === undefined || file.services[container]?.image?.startsWith("payments-platform:");
      const done = command ?? /^up\b/.exec(what)?.[0];
      return done === undefined ? [] : [`${there ? done : `no ${container}`}${scaled ? " scaled" : ""}`];
    });
    expect(steps).toEqual([
      ...["up", "kickoff", "verify", "traffic", "audit"],
      ...["up scaled", "traffic scaled", "audit scaled"],
    ]);
  });

  it("makes every password that compose asks for", () => {
    const asked = [...read("compose/docker-compose.yml").matchAll(/\$\{(\w+):\?/g)].map(
      ([, name]) => name ?? "",
    );
    for (const name of asked) {
      expect(workflow).toContain(name);
    }
  });
});
