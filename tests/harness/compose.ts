import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { DECLARATIONS } from "../../app/settings.js";
import { packageRoot } from "../../lib/root.js";
import { secretNames, settingNames } from "../../lib/settings/define.js";

const NAMES = new Set(settingNames(DECLARATIONS));
const SECRET_NAMES = new Set(secretNames(DECLARATIONS));
/** What must hold for docker-compose.yml and the Dockerfile. Each check takes the file and returns what is wrong, in words. */

export interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  entrypoint?: string[];
  command?: string[];
  deploy?: { replicas?: number };
  profiles?: string[];
  user?: string;
  /** Null: as it is set where compose runs. */
  environment?: Record<string, string | null>;
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition?: string }>;
  healthcheck?: { test: string[] };
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  logging?: { options?: Record<string, string> };
  mem_limit?: string;
  restart?: string;
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, Service>;
}

/** A file of compose/, as compose reads it. It is ours: however often it refers to itself, it is no attack. */
export function readCompose(name = "docker-compose.yml"): Compose {
  const text = readFileSync(join(packageRoot, "compose", name), "utf8");
  return parse(text, { merge: true, maxAliasCount: -1 }) as Compose;
}

/** What `-f first -f second` comes to: a command is replaced, lists are added to. */
export function mergeCompose(first: Compose, second: Compose): Compose {
  const merged = { services: { ...first.services } };
  for (const [name, added] of Object.entries(second.services)) {
    const { volumes = [], ...service } = first.services[name] ?? {};
    merged.services[name] = { ...service, ...added, volumes: [...volumes, ...(added.volumes ?? [])] };
  }
  return merged;
}

/** Names for what only compose needs; the settings' own reader lets them pass in `.env`. */
const COMPOSE_PREFIX = "COMPOSE_";
const SECRET = /(PASSWORD|PASS|SECRET|TOKEN|COOKIE|KEY)$/;
/** Of what is off by default. A webhook that is on without its secret keeps the process from starting; without a key no model is asked. */
const OPTIONAL_SECRETS = [
  "PAYMENTS_WEBHOOK_SECRET",
  "MONITOR_WEBHOOK_SECRET",
  "OPENAI_API_KEY",
  "CONSOLE_VIEWER_PASSWORD",
];

interface Variable {
  readonly name: string;
  readonly operator: string;
  readonly argument: string;
}

/** `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$NAME`; `$$` is a plain dollar. */
function variablesIn(text: string): Variable[] {
  const pattern = /\$(?:\$|\{(\w+)(?:(:?[-?+])([^}]*))?\}|(\w+))/g;
  return [...text.matchAll(pattern)]
    .map(([, braced, operator = "", argument = "", bare]) => ({
      name: braced ?? bare ?? "",
      operator,
      argument,
    }))
    .filter(({ name }) => name !== "");
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") {
    return [value];
  }
  if (value === null || typeof value !== "object") {
    return [];
  }
  return Object.values(value).flatMap(stringsIn);
}

const services = (file: Compose) => Object.entries(file.services);
const isSetting = (name: string) => NAMES.has(name);
const isSecret = (name: string) => SECRET.test(name) || SECRET_NAMES.has(name);
const isOurs = (service: Service) => service.build !== undefined;
const isOneShot = (file: Compose, name: string) =>
  Object.values(file.services).some(
    ({ depends_on = {} }) => depends_on[name]?.condition === "service_completed_successfully",
  );

/** Nothing turns into an empty string unnoticed, and no password is a known one. */
export function checkVariables(file: Compose): string[] {
  const problems: string[] = [];
  for (const { name, operator, argument } of stringsIn(file).flatMap(variablesIn)) {
    if (!isSetting(name) && !name.startsWith(COMPOSE_PREFIX)) {
      problems.push(`${name} is not a setting`);
    }
    if (operator === ":?" && argument !== "") {
      continue;
    }
    if (isSecret(name)) {
      problems.push(`${name} must be required with a message, and without a default`);
    } else if (operator !== ":-") {
      problems.push(`${name} has neither a default nor a message`);
    }
  }
  return problems;
}

/** What our own containers are given are settings, each from the variable of its name or fixed. */
export function checkEnvironment(file: Compose): string[] {
  const problems: string[] = [];
  for (const [service, { environment = {}, ...rest }] of services(file)) {
    for (const [key, value] of Object.entries(environment)) {
      const where = `${service}: ${key}`;
      if (value === null) {
        if (!isSetting(key) || (isSecret(key) && !OPTIONAL_SECRETS.includes(key))) {
          problems.push(`${where} cannot be handed on`);
        }
        continue;
      }
      const [variable] = variablesIn(value);
      if (SECRET.test(key) && variable === undefined) {
        problems.push(`${where} is a password in plain text`);
      }
      if (!isOurs(rest)) {
        continue;
      }
      if (!isSetting(key)) {
        problems.push(`${where} is not a setting`);
      } else if (variable !== undefined && variable.name !== key) {
        problems.push(`${where} is given ${variable.name}`);
      } else if (key.endsWith("_HOST")) {
        // Where it listens itself: on the container's own network.
        if (value === "0.0.0.0" && (rest.ports ?? []).length === 0) {
          continue;
        }
        if (file.services[value] === undefined) {
          problems.push(`${where} names no service`);
        }
      }
    }
  }
  return problems;
}

/** @param has is there such a file, by its path from the folder of docker-compose.yml? */
export function checkFiles(file: Compose, has: (path: string) => boolean): string[] {
  const wanted = services(file).flatMap(([, { volumes = [], build }]) => [
    ...volumes.map((volume) => volume.split(":")[0] ?? "").filter((source) => /^[./]/.test(source)),
    ...(build === undefined ? [] : [`${build.context}/${build.dockerfile}`]),
  ]);
  return wanted.filter((path) => !has(path)).map((path) => `${path} does not exist`);
}

/** Nothing starts before what it needs is healthy or done. */
export function checkDependencies(file: Compose): string[] {
  const problems: string[] = [];
  for (const [service, { depends_on = {} }] of services(file)) {
    for (const [name, { condition = "service_started" }] of Object.entries(depends_on)) {
      const target = file.services[name];
      if (target === undefined) {
        problems.push(`${service} depends on ${name}, which does not exist`);
      } else if (condition === "service_healthy") {
        if (target.healthcheck === undefined) {
          problems.push(`${name} has no healthcheck to wait for`);
        }
      } else if (condition !== "service_completed_successfully") {
        problems.push(`${service} does not wait for ${name}: ${condition}`);
      } else if (target.restart !== "no") {
        problems.push(`${name} is awaited to end, but restarts`);
      }
    }
  }
  return problems;
}

/** @param version the package's, which our own image is tagged with. */
export function checkImages(file: Compose, version: string): string[] {
  const problems: string[] = [];
  for (const [service, { image = "", build }] of services(file)) {
    const tag = image.split(":")[1] ?? "";
    if (!/^v?\d+\.\d+/.test(tag)) {
      problems.push(`${service}: ${image} is not pinned`);
    }
    if (build !== undefined && tag !== version) {
      problems.push(`${service}: ${image} is not of ${version}`);
    }
  }
  return problems;
}

export function checkPorts(file: Compose): string[] {
  return services(file).flatMap(([service, { ports = [] }]) =>
    ports
      .filter((port) => !port.startsWith("127.0.0.1:"))
      .map((port) => `${service} publishes ${port} beyond loopback`),
  );
}

/** Little power, little room, and time to stop. */
export function checkHardening(file: Compose): string[] {
  return services(file).flatMap(([name, service]) => {
    const oneShot = isOneShot(file, name);
    const user = service.user ?? (isOurs(service) ? "of the Dockerfile" : "root");
    const rules: [ok: boolean, problem: string][] = [
      [service.cap_drop?.includes("ALL") === true, "keeps capabilities"],
      [service.security_opt?.includes("no-new-privileges:true") === true, "may gain privileges"],
      [!/^(root|0)(:|$)/.test(user), "runs as root"],
      [!isOurs(service) || service.read_only === true, "may write to its image"],
      [service.init === true, "has no init"],
      [service.mem_limit !== undefined, "has no memory limit"],
      [service.logging?.options?.["max-size"] !== undefined, "logs without bound"],
      [service.restart === (oneShot ? "no" : "unless-stopped"), `restarts: ${service.restart}`],
      [oneShot || seconds(service.stop_grace_period) >= 60, "is killed too soon"],
    ];
    return rules.filter(([ok]) => !ok).map(([, problem]) => `${name} ${problem}`);
  });
}

function seconds(duration = "10s"): number {
  const [, minutes = "0", rest = "0"] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  return Number(minutes) * 60 + Number(rest);
}

/** @param sql db/roles.sql; the service roles hands it ROLES_X as its variable x. */
export function checkRoles(file: Compose, sql: string): string[] {
  const given = Object.keys(file.services["roles"]?.environment ?? {})
    .filter((key) => key.startsWith("ROLES_"))
    .map((key) => key.slice("ROLES_".length).toLowerCase());
  const wanted = new Set([...sql.matchAll(/:['"](\w+)['"]/g)].map(([, name = ""]) => name));
  return [
    ...[...wanted].filter((name) => !given.includes(name)).map((name) => `roles.sql lacks ${name}`),
    ...given.filter((name) => !wanted.has(name)).map((name) => `roles.sql does not know ${name}`),
  ];
}

/** The image of each stage of a Dockerfile. */
export function stagesOf(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image = ""]) => image);
}

/**
 * What is copied into the image is there, and .dockerignore, which shuts everything out first, lets in that and no more.
 *
 * @param has is there such a file in the build context?
 */
export function checkContext(dockerfile: string, has: (path: string) => boolean, ignore: string): string[] {
  const rules = ignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const allowed = rules.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const copied = [...dockerfile.matchAll(/^COPY (?!--from=)(.+) \S+$/gm)].flatMap(([, paths = ""]) =>
    paths.split(" "),
  );
  return [
    ...(rules[0] === "*" ? [] : [".dockerignore does not begin with *"]),
    ...copied.filter((path) => !has(path)).map((path) => `${path} does not exist`),
    ...copied.filter((path) => !allowed.includes(path)).map((path) => `.dockerignore shuts out ${path}`),
    ...allowed
      .filter((path) => !copied.includes(path))
      .map((path) => `.dockerignore lets in ${path} for nothing`),
  ];
}
