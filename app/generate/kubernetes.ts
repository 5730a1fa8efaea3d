import type { Module } from "../../lib/runtime/module.js";
import { componentOf, deployment, PART_OF, REPLICAS } from "./kubernetes_deployment.js";
import {
  type ClusterProcess,
  clusterProcesses,
  isScaledByCpu,
  isScaledByDepth,
} from "./kubernetes_process.js";

const FOLDER = "compose/kubernetes";
const GENERATED = "# Generated from app/modules.ts by `npm run generate`.";
const CPU_PERCENT = 70;

/** The manifests that follow from the list of modules. @returns text by path. */
export function kubernetesFiles(modules: readonly Module[]): Record<string, string> {
  const processes = clusterProcesses(modules);
  const files = Object.fromEntries(
    processes.map((process) => [`${FOLDER}/base/services/${process.name}.yaml`, manifestsOf(process)]),
  );
  return {
    ...files,
    [`${FOLDER}/base/services/kustomization.yaml`]: servicesKustomization(processes),
    [`${FOLDER}/base/ingress.yaml`]: ingress(processes),
    [`${FOLDER}/keda/scaled_objects.yaml`]: scaledObjects(processes),
    [`${FOLDER}/keda/kustomization.yaml`]: kedaKustomization(processes),
  };
}

const documents = (...texts: readonly string[]) => `${GENERATED}\n${texts.join("---\n")}`;

function manifestsOf(process: ClusterProcess): string {
  const scaler = isScaledByCpu(process) ? [autoscaler(process)] : [];
  return documents(deployment(process), service(process), disruptionBudget(process), ...scaler);
}

const service = (process: ClusterProcess) => `apiVersion: v1
kind: Service
metadata:
  name: ${process.name}
  labels: { ${PART_OF}, ${componentOf(process)} }
spec:
  selector: { ${PART_OF}, ${componentOf(process)} }
  ports:
    - { name: http, port: ${process.port}, targetPort: http }
`;

const disruptionBudget = (process: ClusterProcess) => `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${process.name}
  labels: { ${PART_OF}, ${componentOf(process)} }
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow # one that does not work holds up no node
  selector:
    matchLabels: { ${PART_OF}, ${componentOf(process)} }
`;

const autoscaler = (process: ClusterProcess) => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ${process.name}
  labels: { ${PART_OF}, ${componentOf(process)} }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: ${process.name} }
  minReplicas: ${REPLICAS.min}
  maxReplicas: ${REPLICAS.max}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: ${CPU_PERCENT} }
`;

const servicesKustomization = (processes: readonly ClusterProcess[]) => `${GENERATED}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${processes.map(({ name }) => `  - ${name}.yaml`).join("\n")}
`;

function ingress(processes: readonly ClusterProcess[]): string {
  const paths = processes.flatMap(({ name, paths: own, port }) =>
    own.map(
      (path) => `          - path: ${path}
            pathType: ${path === "/" ? "Exact" : "Prefix"}
            backend: { service: { name: ${name}, port: { number: ${port} } } }`,
    ),
  );
  return `${GENERATED}
# The door, as compose/haproxy.cfg is elsewhere. What machines ask (/metrics, /health) stays inside. Callers bring an API key.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: payments-platform
  labels: { ${PART_OF} }
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 20m # the largest batch of events, and some more
    nginx.ingress.kubernetes.io/proxy-read-timeout: "60" # longer than GET /payments/:id?wait_s= waits
    # The default, spelt out: a POST is never sent twice.
    nginx.ingress.kubernetes.io/proxy-next-upstream: error timeout
spec:
  ingressClassName: nginx
  tls:
    - { hosts: [api.example.com], secretName: payments-platform-tls }
  rules:
    - host: api.example.com # and in HTTP_ALLOWED_HOSTS of config.yaml
      http:
        paths:
${paths.join("\n")}
`;
}

function scaledObjects(processes: readonly ClusterProcess[]): string {
  return documents(...processes.filter(isScaledByDepth).map(scaledObject));
}

function scaledObject(process: ClusterProcess): string {
  const { name, queues, depth } = process;
  const cpu = `
    - type: cpu
      metricType: Utilization
      metadata: { value: "${CPU_PERCENT}" }`;
  const triggers = queues.map(
    (queue) => `
    - type: rabbitmq
      metadata:
        queueName: ${queue}
        mode: QueueLength
        value: "${depth}"
        protocol: amqp
      authenticationRef: { name: rabbitmq }`,
  );
  return `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: ${name}
  labels: { ${PART_OF}, ${componentOf(process)} }
spec:
  scaleTargetRef: { name: ${name} }
  minReplicaCount: ${REPLICAS.min}
  maxReplicaCount: ${REPLICAS.max}
  pollingInterval: 15
  triggers:${isScaledByCpu(process) ? cpu : ""}${triggers.join("")}
`;
}

/** One scaler a Deployment: where KEDA has the CPU too, the other one goes. */
function kedaKustomization(processes: readonly ClusterProcess[]): string {
  const names = (those: readonly ClusterProcess[]) => those.map(({ name }) => name).join("|");
  const scaled = processes.filter(isScaledByDepth);
  return `${GENERATED}
# For clusters with KEDA: kubectl apply -k compose/kubernetes/keda
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: payments
resources: [../base, authentication.yaml, scaled_objects.yaml]
patches:
  # A Deployment has one scaler: KEDA's looks at the CPU, too.
  - target:
      kind: HorizontalPodAutoscaler
      name: ${names(scaled.filter(isScaledByCpu))}
    patch: |
      $patch: delete
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: { name: any }
  # Their number is KEDA's.
  - target:
      kind: Deployment
      name: ${names(scaled.filter((each) => !isScaledByCpu(each)))}
    patch: |
      - { op: remove, path: /spec/replicas }
`;
}
