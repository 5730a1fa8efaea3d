/** What must hold for the Dockerfile: checks on its instructions, each returning what is wrong, in words. */

export interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
}

export function parseDockerfile(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== "")
    .map(([name = "", ...words]) => ({ name: name.toUpperCase(), words }));
}

const all = (file: Instruction[], name: string) => file.filter((instruction) => instruction.name === name);

/** @param engines package.json's, of the form `>=20.19`. */
export function checkStages(file: Instruction[], engines: string): string[] {
  const problems: string[] = [];
  const stages = all(file, "FROM").map(({ words }) => ({ image: words[0] ?? "", name: words[2] }));
  if (stages.length < 2) problems.push("build and runtime are one stage");
  // The backup jobs run on the database's image, whose version docker-compose.yml's test compares.
  const onNode = stages.filter(({ name }) => name !== "backup");
  if (new Set(onNode.map(({ image }) => image)).size > 1) problems.push("the stages differ in their image");
  for (const { image } of onNode) {
    const [, major = 0, minor = 0] = /^node:(\d+)\.(\d+)\.\d+-/.exec(image)?.map(Number) ?? [];
    const [leastMajor = 0, leastMinor = 0] = engines.replace(/^>=/, "").split(".").map(Number);
    if (major === 0) problems.push(`${image} is not a pinned Node`);
    else if (major < leastMajor || (major === leastMajor && minor < leastMinor))
      problems.push(`${image} is older than ${engines}`);
  }
  for (const { words } of all(file, "COPY")) {
    const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
    if (from !== undefined && !stages.some(({ name }) => name === from))
      problems.push(`there is no stage ${from}`);
  }
  return problems;
}

/**
 * @param has is there such a file in the build context?
 * @param ignore lines of .dockerignore, which must shut everything out and let single paths in.
 */
export function checkContext(
  file: Instruction[],
  has: (path: string) => boolean,
  ignore: readonly string[],
): string[] {
  const allowed = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const copied = all(file, "COPY")
    .filter(({ words }) => !words.some((word) => word.startsWith("--from=")))
    .flatMap(({ words }) => words.filter((word) => !word.startsWith("--")).slice(0, -1));
  const rules = ignore.filter((line) => line !== "" && !line.startsWith("#"));
  return [
    ...(rules[0] === "*" ? [] : [".dockerignore does not begin with *"]),
    ...copied.filter((path) => !has(path)).map((path) => `${path} does not exist`),
    ...copied.filter((path) => !allowed.includes(path)).map((path) => `.dockerignore shuts out ${path}`),
    ...allowed
      .filter((path) => !copied.includes(path))
      .map((path) => `.dockerignore lets in ${path} for nothing`),
  ];
}

/** What is between the FROM of the stage called `name` and the next one; without a name, the last stage. */
function stage(file: Instruction[], name?: string): Instruction[] {
  const from = file.findLastIndex(
    (instruction) => instruction.name === "FROM" && (name === undefined || instruction.words[2] === name),
  );
  const next = file.findIndex((instruction, i) => i > from && instruction.name === "FROM");
  return from < 0 ? [] : file.slice(from, next < 0 ? undefined : next);
}

/** @param bin package.json's path of the `payments` command. */
export function checkRuntime(file: Instruction[], bin: string): string[] {
  const runtime = stage(file);
  const text = (name: string, part = runtime) => all(part, name).map(({ words }) => words.join(" "));
  const installs = (part: Instruction[]) =>
    text("RUN", part).filter((run) => /\bnpm (ci|i|install)\b/.test(run));
  const user = text("USER").at(-1) ?? "root";
  const packages = text("COPY")
    .map((copy) => /^--from=(\w+) \S+\/node_modules /.exec(copy)?.[1])
    .find((from) => from !== undefined);
  const shipped = packages === undefined ? [] : installs(stage(file, packages));
  const rules: [ok: boolean, problem: string][] = [
    [!/^(root|0)(:|$)/.test(user), `runs as ${user}`],
    [text("ENTRYPOINT").at(-1) === '["payments"]', "does not start payments"],
    [text("RUN").includes(`ln -s /app/${bin} /usr/local/bin/payments`), `payments is not ${bin}`],
    [installs(file).every((run) => run.startsWith("npm ci ")), "does not install by the lock file"],
    [shipped.some((run) => run.includes("--omit=dev")), "ships development packages"],
    [all(file, "ARG").length === 0, "takes build arguments, which an image shows to anyone"],
    [all(file, "ADD").length === 0, "has an ADD, which fetches and unpacks"],
  ];
  return rules.filter(([ok]) => !ok).map(([, problem]) => problem);
}
