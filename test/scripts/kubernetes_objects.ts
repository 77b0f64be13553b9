/** Objects among those that Kustomize has made, and what the gateway gets of them. */
import assert from "node:assert/strict";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2.d.ts";
import type {
  ConfigMap,
  Container,
  PodSpec,
  Secret,
  Service,
} from "kubernetes-types/core/v1.d.ts";
import type {
  Ingress,
  NetworkPolicy,
} from "kubernetes-types/networking/v1.d.ts";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.d.ts";
import { type Config, parseConfig } from "../../src/config/config.ts";
import { ALL_SETTINGS, SECTIONS } from "../../src/modules.ts";
import type { KubernetesObject } from "./kubernetes_schemas.ts";

/** Types of objects by their kind; of other APIs, what the tests ask. */
interface Kinds {
  readonly ConfigMap: ConfigMap;
  readonly Deployment: Deployment;
  readonly HorizontalPodAutoscaler: HorizontalPodAutoscaler;
  readonly Ingress: Ingress;
  readonly NetworkPolicy: NetworkPolicy;
  readonly PodDisruptionBudget: PodDisruptionBudget;
  readonly Secret: Secret;
  readonly Service: Service;
  readonly Gateway: {
    readonly spec: {
      readonly listeners: readonly {
        readonly name: string;
        readonly hostname?: string;
      }[];
    };
  };
  readonly HTTPRoute: {
    readonly spec: {
      readonly parentRefs: readonly { readonly sectionName: string }[];
      readonly hostnames?: readonly string[];
      readonly rules: readonly {
        readonly timeouts?: Readonly<Record<string, string>>;
        readonly backendRefs?: readonly {
          readonly name: string;
          readonly port: number;
        }[];
      }[];
    };
  };
  readonly PodMonitor: {
    readonly spec: {
      readonly jobLabel: string;
      readonly selector: {
        readonly matchLabels: Readonly<Record<string, string>>;
      };
      readonly podMetricsEndpoints: readonly { readonly port: string }[];
    };
  };
  readonly PrometheusRule: { readonly spec: unknown };
}

/** The object of that kind, and of that name where there are several. */
export function find<Kind extends keyof Kinds>(
  objects: readonly KubernetesObject[],
  kind: Kind,
  name: string | RegExp = "porthole",
): Kinds[Kind] {
  const found = objects.filter((object) =>
    object.kind === kind &&
    (typeof name === "string"
      ? object.metadata.name === name
      : name.test(object.metadata.name))
  );
  return only(found) as unknown as Kinds[Kind];
}

/** The one member of a list. */
export function only<T>(list: readonly T[] | undefined): T {
  assert.equal(list?.length, 1);
  return list?.[0] ?? assert.fail();
}

/** The pod of the gateways, and its container. */
export function podOf(
  objects: readonly KubernetesObject[],
): { readonly pod: PodSpec; readonly container: Container } {
  const { spec } = find(objects, "Deployment");
  const pod = spec?.template.spec ?? assert.fail();
  return { pod, container: only(pod.containers) };
}

/** The environment of the gateway: of what has a value twice, the later counts. */
export function environment(
  objects: readonly KubernetesObject[],
): Record<string, string> {
  const { envFrom = [], env } = podOf(objects).container;
  assert.equal(env, undefined);
  return Object.assign(
    {},
    ...envFrom.map(({ configMapRef, secretRef }) => {
      if (configMapRef) return objectNamed("ConfigMap", configMapRef.name).data;
      const { data = {} } = objectNamed("Secret", secretRef?.name);
      return Object.fromEntries(
        Object.entries(data).map(([name, value]) => [name, atob(value)]),
      );
    }),
  );

  function objectNamed<Kind extends "ConfigMap" | "Secret">(
    kind: Kind,
    name: string | undefined,
  ) {
    return find(objects, kind, name ?? assert.fail());
  }
}

/** The configuration that the environment makes; nothing in it may be unknown or wrong. */
export function configOf(objects: readonly KubernetesObject[]): Config {
  const { DENO_V8_FLAGS: _, ...settings } = environment(objects);
  for (const name of Object.keys(settings)) assert(name in ALL_SETTINGS, name);
  const result = parseConfig(settings, SECTIONS);
  assert(result.ok, JSON.stringify(result));
  return result.config;
}
