/** The manifests for Kubernetes, in every combination: by the schemas of its API, and by what the gateway needs. No cluster is asked. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import type { NetworkPolicy } from "kubernetes-types/networking/v1.d.ts";
import { parse } from "yaml";
import meta from "../../deno.json" with { type: "json" };
import { parseConfig } from "../../src/config/config.ts";
import { ALL_SETTINGS, SECTIONS } from "../../src/modules.ts";
import { readDeployFile, readDockerfile, readUnit } from "./deploy_files.ts";
import {
  configOf,
  environment,
  find,
  only,
  podOf,
} from "./kubernetes_objects.ts";
import { type KubernetesObject, objections } from "./kubernetes_schemas.ts";
import {
  build,
  kustomizeTest as test,
  MANIFESTS,
  objectsIn,
  render,
  SITE,
  type Site,
} from "./kustomize.ts";

const MEMORY = ["memory-256", "memory-512", "memory-2048"];
const FRONTS = ["gateway-api", "ingress"];
const OTHERS = ["autoscaling", "monitoring", "redis-cluster"];
const ALL = ["memory-512", ...FRONTS, ...OTHERS];

/** One or none of each of the first two, and any of the others. */
const COMBINATIONS = [[], ...MEMORY.map((name) => [name])].flatMap((memory) =>
  [[], ...FRONTS.map((name) => [name])].flatMap((front) =>
    subsetsOf(OTHERS).map((others) => [...memory, ...front, ...others])
  )
);

function subsetsOf(names: readonly string[]): string[][] {
  return names.reduce<string[][]>(
    (subsets, name) => subsets.flatMap((each) => [each, [...each, name]]),
    [[]],
  );
}

Deno.test("the example and the folders name each other", async () => {
  const example = parse(
    await readDeployFile("kubernetes/example/kustomization.yaml"),
  );
  assert.deepEqual(example.resources, ["../base", "site"]);
  assert.equal(
    only(example.images as { newTag: string }[]).newTag,
    meta.version,
  );
  const folders: string[] = [];
  for await (
    const { name } of Deno.readDir(new URL("components/", MANIFESTS))
  ) {
    folders.push(name);
  }
  const text = await readDeployFile("kubernetes/example/kustomization.yaml");
  for (const name of folders) assert(text.includes(name), name);
  assert.deepEqual(
    folders.toSorted(),
    [...MEMORY, ...FRONTS, ...OTHERS].toSorted(),
  );
});

/** What docs/operate.md gives for a container of a size, by the place of its column. */
async function settingsFor(column: number): Promise<Record<string, string>> {
  const page = await Deno.readTextFile("docs/operate.md");
  const rows = page.matchAll(/^\| `([A-Z_]+)` +\|(.*)\|$/gm);
  return Object.fromEntries(
    [...rows].map(([, name, cells = ""]) => [
      name,
      cells.split("|")[column]?.trim().replaceAll("`", "") ?? "",
    ]).filter(([, value]) => value !== "–"),
  );
}

Deno.test("each size of memory has exactly the settings that docs/operate.md gives for it", async () => {
  for (const [column, name] of MEMORY.entries()) {
    const text = await readDeployFile(
      `kubernetes/components/${name}/kustomization.yaml`,
    );
    const { configMapGenerator, patches } = parse(text);
    const { literals } = only(configMapGenerator as { literals: string[] }[]);
    const { DENO_V8_FLAGS: flags, ...settings } = Object.fromEntries(
      literals.map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    assert.deepEqual(settings, await settingsFor(column), name);
    const page = await Deno.readTextFile("docs/operate.md");
    const [, given] = /`DENO_V8_FLAGS=(--max-semi\S+)`/.exec(page) ?? [];
    assert.equal(flags, column === 0 ? given : undefined);
    const patch = parse(only(patches as { patch: string }[]).patch);
    const { resources } = only(
      patch.spec.template.spec.containers as {
        resources: { limits: { memory: string } };
      }[],
    );
    const [, mebibytes] = name.split("-");
    const amounts = [`${mebibytes}Mi`, `${Number(mebibytes) / 1024}Gi`];
    assert(amounts.includes(resources.limits.memory), name);
  }
});

Deno.test("the schemas find a misspelt member, a value of another type, and a kind that is not known", async () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "porthole" },
  };
  const misspelt = { ...service, spec: { portss: [] } };
  assert.match(await objections([misspelt]), /'"?portss"?' does not exist/);
  const wrong = { ...service, spec: { ports: [{ port: "80" }] } };
  assert.match(await objections([wrong]), /'string' is not assignable/);
  const monitor = {
    ...service,
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    spec: {
      jobLabel: "app",
      selector: { matchLabels: {} },
      podMetricsEndpoints: [{ prt: "metrics", interval: "15s" }],
    },
  };
  assert.match(await objections([monitor]), /'"?prt"?' does not exist/);
  const other = { ...service, kind: "Servlet" };
  assert.equal(await objections([other]), "Servlet porthole: no schema\n");
  const route = {
    ...service,
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    spec: { rules: [{ timeouts: { request: "never" } }] },
  };
  assert.match(await objections([route]), /^HTTPRoute porthole: .*pattern/s);
});

Deno.test("each object is valid against its schema, as it is written", async () => {
  const paths = (await readdir(MANIFESTS, { recursive: true }))
    .filter((path) => /(?<!kustomization)\.yaml$/.test(path));
  const texts = paths.map((path) => readDeployFile(`kubernetes/${path}`));
  const objects = (await Promise.all(texts)).flatMap(objectsIn);
  assert(objects.length > 10);
  assert.equal(await objections(objects), "");
});

test("every combination of components renders, each object is valid against its schema, and the gateway is configured without a mistake", async () => {
  assert.equal(COMBINATIONS.length, 96);
  const different = new Map<string, KubernetesObject>();
  for (const components of COMBINATIONS) {
    const objects = await render(components);
    for (const each of objects) different.set(JSON.stringify(each), each);
    const { pod, container } = podOf(objects);
    const { cache, limits, listen, metrics } = configOf(objects);
    assert.equal(cache.location.kind, "redis"); // which all share
    const graceMs = 1000 * (pod.terminationGracePeriodSeconds ?? 0);
    assert(graceMs > limits.shutdownTimeoutMs);
    const { periodSeconds = 0, failureThreshold = 0 } =
      container.readinessProbe ?? {};
    assert(limits.shutdownDelayMs > 1000 * periodSeconds * failureThreshold);
    assert.deepEqual(
      new Set(container.ports?.map(({ containerPort }) => containerPort)),
      new Set([listen.port, ...metrics ? [metrics.port] : []]),
    );
    const memory = components.some((name) => MEMORY.includes(name));
    assert.equal(container.resources?.limits !== undefined, memory);
  }
  assert.equal(await objections([...different.values()]), "");
});

test("the example renders as it is, and the gateway does not start before its secrets are filled in", async () => {
  const objects = await build(new URL("example/", MANIFESTS));
  const settings = environment(objects);
  assert.equal(settings.PROXY_API_KEY, "");
  assert.equal(parseConfig(settings, SECTIONS).ok, false);
  const image = podOf(objects).container.image;
  assert.equal(image, `registry.example.com/porthole:${meta.version}`);
});

test("what is secret is in the Secret only, and a change of it or of a setting rolls the pods", async () => {
  const objects = await render(["memory-512"]);
  const { data = {} } = find(objects, "Secret", /^porthole-/);
  for (const name of Object.keys(environment(objects))) {
    const isSecret = ALL_SETTINGS[name]?.secret ?? false;
    assert.equal(name in data, isSecret, name);
  }
  const others: readonly Site[] = [
    { secrets: { ...SITE.secrets, PROXY_API_KEY: "another-key" } },
    { ...SITE, settings: { SESSION_TTL_SEC: "7200" } },
  ];
  const template = find(objects, "Deployment").spec?.template;
  for (const site of others) {
    const changed = await render(["memory-512"], site);
    assert.notDeepEqual(find(changed, "Deployment").spec?.template, template);
  }
  const again = await render(["memory-512"]);
  assert.deepEqual(find(again, "Deployment").spec?.template, template);
});

test("the pods are confined as the systemd unit confines, and as the image allows", async () => {
  const { all } = await readDockerfile();
  const { pod, container } = podOf(await render(["memory-512"]));
  const { runAsUser, runAsGroup } = pod.securityContext ?? {};
  assert.equal(`${runAsUser}:${runAsGroup}`, only(all("USER")));
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
  assert.equal(container.image, `porthole:${meta.version}`);
});

test("the probes ask what there is: readiness does not restart a gateway, and liveness depends on nobody", async () => {
  const { container } = podOf(await render([]));
  const { readinessProbe, livenessProbe, startupProbe } = container;
  assert.equal(readinessProbe?.httpGet?.path, "/ready");
  assert.equal(livenessProbe?.httpGet?.path, "/health");
  assert.equal(startupProbe?.httpGet?.path, "/health");
  for (const probe of [readinessProbe, livenessProbe, startupProbe]) {
    assert.equal(probe?.httpGet?.port, "http");
  }
});

test("everything that selects pods selects these", async () => {
  const objects = await render(ALL);
  const { spec } = find(objects, "Deployment");
  const labels = spec?.template.metadata?.labels;
  const policies = objects.filter(({ kind }) => kind === "NetworkPolicy");
  for (
    const selector of [
      spec?.selector.matchLabels,
      find(objects, "Service").spec?.selector,
      find(objects, "PodDisruptionBudget").spec?.selector?.matchLabels,
      find(objects, "PodMonitor").spec.selector.matchLabels,
      ...policies.map((policy) =>
        (policy as unknown as NetworkPolicy).spec?.podSelector.matchLabels
      ),
      ...(spec?.template.spec?.topologySpreadConstraints ?? []).map((
        { labelSelector },
      ) => labelSelector?.matchLabels),
    ]
  ) assert.deepEqual(selector, labels);
  assert.equal(
    find(objects, "HorizontalPodAutoscaler").spec?.scaleTargetRef.name,
    "porthole",
  );
});

test("one gateway goes at a time, zones are used alike, and the autoscaler alone says how many there are", async () => {
  const { spec: budget } = find(await render([]), "PodDisruptionBudget");
  assert.equal(budget?.maxUnavailable, 1);
  assert.equal(budget?.minAvailable, undefined);
  const { spec } = find(await render([]), "Deployment");
  assert.equal(spec?.replicas, 2);
  assert.deepEqual(
    spec?.template.spec?.topologySpreadConstraints?.map(({ topologyKey }) =>
      topologyKey
    ),
    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
  );
  const scaled = await render(["autoscaling"]);
  assert.equal(find(scaled, "Deployment").spec?.replicas, undefined);
  const { behavior, minReplicas } =
    find(scaled, "HorizontalPodAutoscaler").spec ?? {};
  assert.equal(minReplicas, 2);
  const { value, periodSeconds } = only(behavior?.scaleDown?.policies);
  assert(periodSeconds / value >= 600);
});
