import { packageVersion } from "../../lib/root.js";
import { type ClusterProcess, hasApi, isScaledByCpu } from "./kubernetes_process.js";

/** Labels that all of the platform has, and all of a process. */
export const PART_OF = "app.kubernetes.io/part-of: payments-platform";
export const componentOf = ({ name }: ClusterProcess) => `app.kubernetes.io/component: ${name}`;

/** Fewest and most processes of a service; two, so that one may go. */
export const REPLICAS = { min: 2, max: 10 } as const;

/** The goal of a process is 500 MB at most (docs/deployment.md); the largest was measured at 231 (docs/bench.md). */
const MEMORY = "512Mi";

/** The Deployment of a process. Where an autoscaler says how many there are, it does not. */
export function deployment(process: ClusterProcess): string {
  const { name, module, port, scales, cpu } = process;
  const replicas = isScaledByCpu(process) ? "" : `\n  replicas: ${scales ? REPLICAS.min : 1}`;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: { ${PART_OF}, ${componentOf(process)} }
spec:${replicas}
  minReadySeconds: 5
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: { ${PART_OF}, ${componentOf(process)} }
  template:
    metadata:
      labels: { ${PART_OF}, ${componentOf(process)} }
    spec:
      automountServiceAccountToken: false
      # Names that Kubernetes makes of Services (WALLET_PORT) would be settings that nobody knows, and refused.
      enableServiceLinks: false
      # Longer than any process takes to end (docs/kubernetes.md). HTTP_DRAIN_MS does what a preStop hook would wait for.
      terminationGracePeriodSeconds: 120
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000 # node, of the image
        runAsGroup: 1000
        seccompProfile: { type: RuntimeDefault }
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: { ${componentOf(process)} }
      containers:
        - name: ${name}
          image: payments-platform:${packageVersion()}
          args: [serve, ${module}]
          ports:
            - { name: http, containerPort: ${port} }
          envFrom:
            - configMapRef: { name: payments-platform }
          env:
${secretsOf(process)}
          # Once all that it needs is there. It waits for servers by itself, for an hour before it is tried anew.
          startupProbe:
            httpGet: { path: /readyz, port: http }
            timeoutSeconds: 3
            periodSeconds: 2
            failureThreshold: 1800
          # Asks nobody else, so that an outage restarts nothing.
          livenessProbe:
            httpGet: { path: /livez, port: http }
            timeoutSeconds: 5
            periodSeconds: 10
            failureThreshold: 3
          ${readiness(process)}
            timeoutSeconds: 3
            periodSeconds: 5
            failureThreshold: 2
          resources:
            requests: { cpu: ${cpu}, memory: ${MEMORY} }
            limits: { memory: ${MEMORY} } # none of cpu: what is left over is taken
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
`;
}

/** Without RabbitMQ an API still takes what it is told (its outbox waits): /health is 200 then, /readyz is not. */
const readiness = (process: ClusterProcess) =>
  hasApi(process)
    ? `# Without RabbitMQ it takes requests all the same; without PostgreSQL it does not.
          readinessProbe:
            httpGet: { path: /health, port: http }`
    : `readinessProbe:
            httpGet: { path: /readyz, port: http }`;

function secretsOf({ secrets }: ClusterProcess): string {
  return secrets
    .map(({ name, optional }) => {
      const reference = `{ name: payments-platform, key: ${name}${optional ? ", optional: true" : ""} }`;
      return `            - name: ${name}\n              valueFrom:\n                secretKeyRef: ${reference}`;
    })
    .join("\n");
}
