import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { DECLARATIONS } from "../../app/settings.js";
import { packageRoot } from "../../lib/root.js";
import { secretNames, settingNames } from "../../lib/settings/define.js";

/** What must hold for compose/kubernetes/. Each check takes the objects of a file set and returns what is wrong, in words. */

export interface Container {
  name: string;
  image: string;
  args: string[];
  ports?: { name: string; containerPort: number }[];
  envFrom?: { configMapRef?: { name: string } }[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: Record<string, unknown>;
}

interface Probe {
  httpGet: { path: string; port: string };
}

interface Pod {
  metadata: { labels: Record<string, string> };
  spec: {
    terminationGracePeriodSeconds?: number;
    automountServiceAccountToken?: boolean;
    enableServiceLinks?: boolean;
    securityContext?: Record<string, unknown>;
    initContainers?: Container[];
    containers: Container[];
  };
}

/** As much of an object as the checks look at. */
export interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has a shape of its own, which its schema checks
  spec?: any;
}

const FOLDER = join(packageRoot, "compose/kubernetes");

/** All objects of a folder of compose/kubernetes, as its kustomizations list them. */
export function readManifests(folder: string): Manifest[] {
  const own = parse(readFileSync(join(FOLDER, folder, "kustomization.yaml"), "utf8")) as {
    resources: string[];
  };
  return own.resources.flatMap((resource) => {
    if (resource.startsWith("..")) {
      return [];
    }
    return resource.endsWith(".yaml")
      ? parseAllDocuments(readFileSync(join(FOLDER, folder, resource), "utf8")).map(
          (document) => document.toJS() as Manifest,
        )
      : readManifests(join(folder, resource));
  });
}

/** Files of manifests that no kustomization lists. */
export function forgottenFiles(): string[] {
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".yaml"),
  );
  return files.filter((path) => {
    const name = basename(path);
    const beside = readFileSync(join(FOLDER, dirname(path), "kustomization.yaml"), "utf8");
    return name !== "kustomization.yaml" && !beside.includes(name);
  });
}

export const ofKind = (objects: readonly Manifest[], kind: string) =>
  objects.filter((object) => object.kind === kind);

const POD_OF: Readonly<Record<string, (spec: Manifest["spec"]) => Pod>> = {
  Deployment: (spec) => spec.template,
  Job: (spec) => spec.template,
  CronJob: (spec) => spec.jobTemplate.spec.template,
};

/** Pods by the name of what makes them. */
export function podsOf(objects: readonly Manifest[]): [name: string, pod: Pod][] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    const podOf = POD_OF[kind];
    return podOf === undefined ? [] : [[metadata.name, podOf(spec)] satisfies [string, Pod]];
  });
}

const containersOf = ({ spec }: Pod) => [...(spec.initContainers ?? []), ...spec.containers];

/** Little power, and room that is known. */
export function checkHardening(objects: readonly Manifest[]): string[] {
  return podsOf(objects).flatMap(([name, pod]) => {
    const { securityContext: user = {}, automountServiceAccountToken, enableServiceLinks } = pod.spec;
    const ofPod: [ok: boolean, problem: string][] = [
      [user["runAsNonRoot"] === true && Number(user["runAsUser"]) > 0, "may run as root"],
      [JSON.stringify(user["seccompProfile"]) === '{"type":"RuntimeDefault"}', "has all system calls"],
      [automountServiceAccountToken === false, "may ask the cluster"],
      [enableServiceLinks === false, "takes names of Services for settings"],
    ];
    const ofContainers = containersOf(pod).flatMap(
      ({ securityContext = {}, resources }): [boolean, string][] => [
        [securityContext["allowPrivilegeEscalation"] === false, "may gain privileges"],
        [securityContext["readOnlyRootFilesystem"] === true, "may write to its image"],
        [JSON.stringify(securityContext["capabilities"]) === '{"drop":["ALL"]}', "keeps capabilities"],
        [securityContext["privileged"] === undefined, "is privileged"],
        [resources?.limits?.["memory"] !== undefined, "has no memory limit"],
        [resources?.requests?.["cpu"] !== undefined, "asks for no CPU, of which 70 % would be nothing"],
      ],
    );
    return [...ofPod, ...ofContainers].filter(([ok]) => !ok).map(([, problem]) => `${name} ${problem}`);
  });
}

const NAMES = new Set(settingNames(DECLARATIONS));
const SECRETS = new Set(secretNames(DECLARATIONS));

/** Settings from the ConfigMap, secrets from the Secret by their own names, and nothing secret in a file. */
export function checkSettings(objects: readonly Manifest[]): string[] {
  const [config] = ofKind(objects, "ConfigMap");
  const ofConfig = Object.keys(config?.data ?? {}).flatMap((name) => [
    ...(NAMES.has(name) ? [] : [`${name} is not a setting`]),
    ...(SECRETS.has(name) ? [`${name} is a secret in a file`] : []),
  ]);
  const ofPods = podsOf(objects).flatMap(([pod, { spec }]) =>
    [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ env = [], envFrom = [] }) => [
      ...(envFrom[0]?.configMapRef?.name === config?.metadata.name ? [] : [`${pod} has no settings`]),
      ...env.flatMap(({ name, valueFrom }) => {
        const key = valueFrom?.secretKeyRef?.key;
        return SECRETS.has(name) && key === name ? [] : [`${pod}: ${name} is not of the Secret, by its name`];
      }),
    ]),
  );
  const inFiles = ofKind(objects, "Secret").map(({ metadata }) => `${metadata.name} is a Secret in a file`);
  return [...ofConfig, ...ofPods, ...inFiles];
}

/** What names a Deployment, or pods by their labels, names one that there is. */
export function checkReferences(objects: readonly Manifest[]): string[] {
  const components = new Set(podsOf(objects).map(([, { metadata }]) => metadata.labels[COMPONENT]));
  const deployments = new Set(ofKind(objects, "Deployment").map(({ metadata }) => metadata.name));
  return objects.flatMap(({ kind, metadata, spec }) => {
    const target: string | undefined = spec?.scaleTargetRef?.name;
    const wanted = componentsIn(spec);
    return [
      ...(target === undefined || deployments.has(target) ? [] : [`${kind} ${metadata.name}: no ${target}`]),
      ...wanted
        .filter((component) => !components.has(component))
        .map((component) => `${kind} ${metadata.name}: no pod of ${component}`),
      ...(kind === "Service" && componentsIn(spec)[0] !== metadata.name
        ? [`Service ${metadata.name} leads elsewhere`]
        : []),
    ];
  });
}

const COMPONENT = "app.kubernetes.io/component";

/** Components that selectors in a spec name, at any depth. */
function componentsIn(value: unknown): string[] {
  if (value === null || typeof value !== "object") {
    return [];
  }
  const { key, values } = value as { key?: unknown; values?: string[] };
  return [
    ...(key === COMPONENT ? (values ?? []) : []),
    ...Object.entries(value).flatMap(([name, inner]) =>
      name === COMPONENT ? [String(inner)] : componentsIn(inner),
    ),
  ];
}

/** @param version the package's, which our own images are tagged with. */
export function checkImages(objects: readonly Manifest[], version: string): string[] {
  return podsOf(objects).flatMap(([name, pod]) =>
    containersOf(pod)
      .filter(
        ({ image }) =>
          ![`payments-platform:${version}`, `payments-platform-backup:${version}`].includes(image),
      )
      .map(({ image }) => `${name}: ${image} is not of ${version}`),
  );
}
