/** What objects of Kubernetes may be: by the types of its API, and those of other APIs by schemas of what we use there. */
import { z } from "zod";
import { typeErrors } from "./type_errors.ts";

/** An object as a manifest has it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The module of each kind's type, as Kubernetes' API describes it. */
const MODULES: Readonly<Record<string, string>> = {
  ConfigMap: "core/v1",
  Secret: "core/v1",
  Service: "core/v1",
  Deployment: "apps/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  Ingress: "networking/v1",
  NetworkPolicy: "networking/v1",
  PodDisruptionBudget: "policy/v1",
};

const dnsLabel = z.string().max(63).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const hostname = z.string().max(253).regex(
  /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
);
const port = z.int().min(1).max(65_535);
const metadata = z.strictObject({
  name: dnsLabel,
  namespace: dnsLabel.optional(),
  labels: z.record(z.string(), z.string()).optional(),
});
/** A duration of the Gateway API; zero is none. */
const duration = z.string().regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/);
/** A duration of Prometheus. */
const prometheusDuration = z.string().regex(/^[0-9]+(ms|s|m|h|d|w|y)$/);

/** The kinds of other APIs, each only with the members that our manifests use. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Gateway: z.strictObject({
    apiVersion: z.literal("gateway.networking.k8s.io/v1"),
    kind: z.literal("Gateway"),
    metadata,
    spec: z.strictObject({
      gatewayClassName: z.string().min(1).max(253),
      listeners: z.array(z.discriminatedUnion("protocol", [
        z.strictObject({ name: dnsLabel, port, protocol: z.literal("HTTP") }),
        z.strictObject({
          name: dnsLabel,
          port,
          protocol: z.literal("HTTPS"),
          hostname: hostname.optional(),
          tls: z.strictObject({
            mode: z.literal("Terminate"),
            certificateRefs: z.array(z.strictObject({ name: dnsLabel })).min(1),
          }),
        }),
      ])).min(1).max(64),
    }),
  }),
  HTTPRoute: z.strictObject({
    apiVersion: z.literal("gateway.networking.k8s.io/v1"),
    kind: z.literal("HTTPRoute"),
    metadata,
    spec: z.strictObject({
      parentRefs: z.array(
        z.strictObject({ name: dnsLabel, sectionName: dnsLabel }),
      ).min(1).max(32),
      hostnames: z.array(hostname).max(16).optional(),
      rules: z.array(z.strictObject({
        backendRefs: z.array(z.strictObject({ name: dnsLabel, port }))
          .optional(),
        filters: z.array(z.strictObject({
          type: z.literal("RequestRedirect"),
          requestRedirect: z.strictObject({
            scheme: z.enum(["http", "https"]),
            statusCode: z.union([z.literal(301), z.literal(302)]),
          }),
        })).optional(),
        timeouts: z.strictObject({
          request: duration,
          backendRequest: duration,
        }).optional(),
      })).min(1).max(16),
    }),
  }),
  PodMonitor: z.strictObject({
    apiVersion: z.literal("monitoring.coreos.com/v1"),
    kind: z.literal("PodMonitor"),
    metadata,
    spec: z.strictObject({
      jobLabel: z.string(),
      selector: z.strictObject({
        matchLabels: z.record(z.string(), z.string()),
      }),
      podMetricsEndpoints: z.array(
        z.strictObject({ port: z.string(), interval: prometheusDuration }),
      ).min(1),
    }),
  }),
  PrometheusRule: z.strictObject({
    apiVersion: z.literal("monitoring.coreos.com/v1"),
    kind: z.literal("PrometheusRule"),
    metadata,
    spec: z.strictObject({
      groups: z.array(z.strictObject({
        name: z.string().min(1),
        rules: z.array(z.strictObject({
          alert: z.string().min(1),
          expr: z.string().min(1),
          for: prometheusDuration.optional(),
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        })).min(1),
      })).min(1),
    }),
  }),
};

/** What there is against objects: none may have a member that is not described. Empty if nothing. */
export async function objections(
  objects: readonly KubernetesObject[],
): Promise<string> {
  const others = objects.flatMap((object) => otherObjections(object));
  const lines = objects.flatMap((object, i) => {
    const module = MODULES[object.kind];
    return module === undefined ? [] : [
      `import type { ${object.kind} as Kind${i} } from "kubernetes-types/${module}.d.ts";`,
      `export const object${i}: Kind${i} = ${JSON.stringify(object)};`,
    ];
  });
  const natives = lines.length > 0 ? await typeErrors(lines.join("\n")) : "";
  return [...others, natives].join("");
}

function otherObjections(object: KubernetesObject): string[] {
  const { kind, metadata: { name } } = object;
  if (kind in MODULES) return [];
  const schema = SCHEMAS[kind];
  if (schema === undefined) return [`${kind} ${name}: no schema\n`];
  const { error } = schema.safeParse(object);
  return error === undefined
    ? []
    : [`${kind} ${name}: ${z.prettifyError(error)}\n`];
}
