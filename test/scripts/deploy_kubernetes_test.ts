/** The manifests for Kubernetes: by the types of its API, and by what this gateway needs. No cluster is asked. */
import assert from "node:assert/strict";
import { ALL_SETTINGS, SECTIONS } from "../../src/service.ts";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { Service } from "kubernetes-types/core/v1.d.ts";
import type {
  Ingress,
  NetworkPolicy,
} from "kubernetes-types/networking/v1.d.ts";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.d.ts";
import { parseAllDocuments } from "yaml";
import meta from "../../deno.json" with { type: "json" };
import { parseConfig } from "../../src/config/config.ts";
import { readDeployFile, readDockerfile, readUnit } from "./deploy_files.ts";
import { typeErrors } from "./type_errors.ts";

/** The module of each kind's type, as the API describes it. */
const MODULES: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  Service: "core/v1",
  Ingress: "networking/v1",
  NetworkPolicy: "networking/v1",
  PodDisruptionBudget: "policy/v1",
};

interface Manifests {
  readonly Deployment: Deployment;
  readonly Service: Service;
  readonly Ingress: Ingress;
  readonly NetworkPolicy: NetworkPolicy;
  readonly PodDisruptionBudget: PodDisruptionBudget;
}

const documents = parseAllDocuments(await readDeployFile("kubernetes.yaml"))
  .map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as { readonly kind: string };
  });
const manifests = Object.fromEntries(
  documents.map((document) => [document.kind, document]),
) as unknown as Manifests;

/**
 * What the API's types have against objects: as literals they may have no member that is not described. Empty if
 * nothing.
 */
async function objections(
  objects: readonly { readonly kind: string }[],
): Promise<string> {
  const lines = objects.flatMap((object, i) => [
    `import type { ${object.kind} as Kind${i} } from "kubernetes-types/${
      MODULES[object.kind]
    }.d.ts";`,
    `export const object${i}: Kind${i} = ${JSON.stringify(object)};`,
  ]);
  return await typeErrors(lines.join("\n"));
}

Deno.test("the manifests are what the types of Kubernetes' API describe", async () => {
  assert.deepEqual(
    documents.map(({ kind }) => kind).sort(),
    Object.keys(MODULES).sort(),
  );
  assert.equal(await objections(documents), "");
});

Deno.test("the types of Kubernetes' API find a misspelt member, and a value of another type", async () => {
  const { Deployment: deployment, Service: service } = manifests;
  const misspelt = { ...deployment.spec, replicass: 2 };
  assert.match(
    await objections([
      { ...deployment, spec: misspelt } as Deployment & {
        kind: string;
      },
    ]),
    /'"?replicass"?' does not exist/,
  );
  const ports = [{ name: "http", port: "80" }];
  const wrong = { ...service, kind: "Service", spec: { ports } };
  assert.match(await objections([wrong]), /'string' is not assignable/);
});

/** The settings that docs/operate.md gives for a container of 512 MiB. */
async function settingsFor512(): Promise<Record<string, string>> {
  const page = await Deno.readTextFile("docs/operate.md");
  const rows = page.matchAll(/^\| `(\w+)` +\| `\w+` +\| `(\w+)`/gm);
  return Object.fromEntries([...rows].map(([, name, value]) => [name, value]));
}

/** The one member of a list. */
function only<T>(list: readonly T[] | undefined): T {
  assert.equal(list?.length, 1);
  return list?.[0] ?? assert.fail();
}

const pod = manifests.Deployment.spec?.template.spec ?? assert.fail();
const container = only(pod.containers);

/** The container's environment, with its secrets filled in. */
function environment(): Record<string, string> {
  const filledIn: Record<string, string> = {
    PROXY_API_KEY: "service-key",
    SESSION_SECRETS: "a-secret-of-more-than-thirty-two-characters",
  };
  return Object.fromEntries((container.env ?? []).map((
    { name, value, valueFrom },
  ) => [name, value ?? filledIn[valueFrom?.secretKeyRef?.key ?? ""] ?? ""]));
}

Deno.test("the gateway has the settings that fit its memory", async () => {
  assert.equal(container.resources?.limits?.memory, "512Mi");
  const env = environment();
  const given = await settingsFor512();
  assert(Object.keys(given).length > 0);
  for (const [name, value] of Object.entries(given)) {
    assert.equal(env[name], value, name);
  }
});

Deno.test("the gateway is configured without a mistake, and has its secrets from a secret", () => {
  const env = environment();
  for (const name of Object.keys(env)) assert(name in ALL_SETTINGS, name);
  const result = parseConfig(env, SECTIONS);
  assert(result.ok, JSON.stringify(result));
  const { config } = result;
  assert.equal(config.cache.location.kind, "redis"); // which both share
  for (const { name, value } of container.env ?? []) {
    const setting = ALL_SETTINGS[name] ?? assert.fail(name);
    assert.equal(value === undefined, setting.secret ?? false, name);
  }
  const { shutdownTimeoutMs, shutdownDelayMs } = config.limits;
  const graceMs = 1000 * (pod.terminationGracePeriodSeconds ?? 0);
  assert(graceMs > shutdownTimeoutMs);
  const { periodSeconds = 0, failureThreshold = 0 } =
    container.readinessProbe ?? {};
  assert(shutdownDelayMs > 1000 * periodSeconds * failureThreshold);
  assert.deepEqual(
    container.ports?.map(({ name, containerPort }) => [name, containerPort]),
    [["http", config.listen.port], ["metrics", config.metrics?.port]],
  );
});

Deno.test("the pods are confined as the systemd unit confines, and as the image allows", async () => {
  const { all } = await readDockerfile();
  assert.equal(
    `${pod.securityContext?.runAsUser}:${pod.securityContext?.runAsGroup}`,
    only(all("USER")),
  );
  assert.equal(pod.securityContext?.runAsNonRoot, true);
  assert.equal(pod.securityContext?.seccompProfile?.type, "RuntimeDefault");
  assert.equal(pod.automountServiceAccountToken, false);
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false, // NoNewPrivileges=
    privileged: false, // PrivateDevices=
    readOnlyRootFilesystem: true, // ProtectSystem=strict
    capabilities: { drop: ["ALL"] }, // CapabilityBoundingSet=
  });
  const { value } = await readUnit();
  assert.equal(value("NoNewPrivileges"), "yes");
  assert.equal(value("ProtectSystem"), "strict");
  assert.equal(value("CapabilityBoundingSet"), "");
  for (const shared of ["hostNetwork", "hostPID", "hostIPC", "volumes"]) {
    assert.equal(shared in pod, false, shared);
  }
  assert.equal(container.image?.split(":").at(-1), meta.version);
});

Deno.test("the probes ask what there is: readiness does not restart a gateway, and liveness depends on nobody", () => {
  const { readinessProbe, livenessProbe, startupProbe } = container;
  assert.equal(readinessProbe?.httpGet?.path, "/ready");
  assert.equal(livenessProbe?.httpGet?.path, "/health");
  assert.equal(startupProbe?.httpGet?.path, "/health");
  for (const probe of [readinessProbe, livenessProbe, startupProbe]) {
    assert.equal(probe?.httpGet?.port, "http");
  }
});

Deno.test("service, ingress, disruption budget and network policy are about these pods", () => {
  const { Deployment, Service, Ingress, NetworkPolicy, PodDisruptionBudget } =
    manifests;
  const labels = Deployment.spec?.template.metadata?.labels;
  for (
    const selector of [
      Deployment.spec?.selector.matchLabels,
      Service.spec?.selector,
      PodDisruptionBudget.spec?.selector?.matchLabels,
      NetworkPolicy.spec?.podSelector.matchLabels,
    ]
  ) assert.deepEqual(selector, labels);
  const replicas = Deployment.spec?.replicas ?? 0;
  assert.equal(replicas, 2);
  assert.equal(PodDisruptionBudget.spec?.minAvailable, replicas - 1);
  assert.equal(only(Service.spec?.ports).targetPort, "http");

  const domain = environment().PROXY_DOMAIN;
  const hosts = [domain, `*.${domain}`];
  assert.deepEqual(Ingress.spec?.rules?.map(({ host }) => host), hosts);
  assert.deepEqual(only(Ingress.spec?.tls).hosts, hosts);
  for (const { http } of Ingress.spec?.rules ?? []) {
    const { path, backend } = only(http?.paths);
    assert.equal(path, "/");
    assert.equal(backend.service?.name, Service.metadata?.name);
    assert.equal(backend.service?.port?.name, "http");
  }
});

Deno.test("the network policy lets the pods out to names, Daytona, runners and the internet by TLS, and to no machine's metadata", () => {
  const { spec } = manifests.NetworkPolicy;
  assert.deepEqual(spec?.policyTypes, ["Ingress", "Egress"]);
  const egress = spec?.egress ?? [];
  for (const { to } of egress) assert.equal(to?.length, 1);
  const namespaces = egress.map(({ to }) =>
    only(to).namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"]
  );
  assert.deepEqual(namespaces.slice(0, 2), ["kube-system", "daytona"]);
  // As the settings name the API and Redis.
  for (const name of ["DAYTONA_API_URL", "CACHE_URL"]) {
    assert.match(environment()[name] ?? "", /\.daytona\.svc:/);
  }
  const outside = egress.slice(2).map(({ ports, to }) => ({
    port: only(ports).port,
    ...only(to).ipBlock,
  }));
  assert.deepEqual(outside.map(({ port }) => port), [3003, 443]);
  assert.equal(outside[0]?.cidr?.startsWith("10."), true);
  assert.equal(outside[1]?.except?.includes("169.254.0.0/16"), true);
});
