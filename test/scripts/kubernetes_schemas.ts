/** What objects of Kubernetes may be: by the types of its API, and those and the schemas of what extends it. */
import { Gateway } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/Gateway";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { typeErrors } from "./type_errors.ts";

/** An object as a manifest has it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The module of each type, by the version of its API and its kind. */
const MODULES: Readonly<Record<string, string>> = {
  "v1/ConfigMap": "kubernetes-types/core/v1.d.ts",
  "v1/Secret": "kubernetes-types/core/v1.d.ts",
  "v1/Service": "kubernetes-types/core/v1.d.ts",
  "apps/v1/Deployment": "kubernetes-types/apps/v1.d.ts",
  "autoscaling/v2/HorizontalPodAutoscaler":
    "kubernetes-types/autoscaling/v2.d.ts",
  "networking.k8s.io/v1/Ingress": "kubernetes-types/networking/v1.d.ts",
  "networking.k8s.io/v1/NetworkPolicy": "kubernetes-types/networking/v1.d.ts",
  "policy/v1/PodDisruptionBudget": "kubernetes-types/policy/v1.d.ts",
  ...extensions("@kubernetes-models/gateway-api", [Gateway, HTTPRoute]),
  ...extensions("@kubernetes-models/prometheus-operator", [
    PodMonitor,
    PrometheusRule,
  ]),
};

/** What checks an object by the schema of its kind, where there is such a schema. */
const MODELS: Readonly<
  Record<string, new (object: never) => { validate(): void }>
> = { Gateway, HTTPRoute, PodMonitor, PrometheusRule };

function extensions(
  name: string,
  models: readonly { readonly apiVersion: string; readonly kind: string }[],
) {
  return Object.fromEntries(
    models.map(({ apiVersion, kind }) => {
      const path = `${apiVersion}/${kind}`;
      return [path, `${name}/${path}`];
    }),
  );
}

/** What there is against objects: none may have a member that is not described. Empty if nothing. */
export async function objections(
  objects: readonly KubernetesObject[],
): Promise<string> {
  const others: string[] = [];
  const lines: string[] = [];
  for (const [index, object] of objects.entries()) {
    const { apiVersion, kind, metadata: { name } } = object;
    const module = MODULES[`${apiVersion}/${kind}`];
    if (module === undefined) {
      others.push(`${kind} ${name}: no schema\n`);
      continue;
    }
    const Model = MODELS[kind];
    lines.push(
      `import type { ${
        Model ? "I" : ""
      }${kind} as Kind${index} } from "${module}";`,
      `export const object${index}: Kind${index} = ${JSON.stringify(object)};`,
    );
    try {
      if (Model) new Model(object as never).validate();
    } catch (error) {
      others.push(`${kind} ${name}: ${(error as Error).message}\n`);
    }
  }
  const wrong = lines.length > 0 ? await typeErrors(lines.join("\n")) : "";
  return [...others, wrong].join("");
}
