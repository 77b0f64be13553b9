/** Who reaches the gateways on Kubernetes, and whom they reach. */
import assert from "node:assert/strict";
import type { NetworkPolicy } from "kubernetes-types/networking/v1.d.ts";
import { parse } from "yaml";
import meta from "../../deno.json" with { type: "json" };
import { readDeployFile, readDockerfile } from "./deploy_files.ts";
import {
  configOf,
  environment,
  find,
  only,
  podOf,
} from "./kubernetes_objects.ts";
import { kustomizeTest as test, render, SITE } from "./kustomize.ts";

test("Gateway and Ingress lead the domain and the names below it to the service, and the Gateway ends no stream", async () => {
  const site = { ...SITE, settings: { PROXY_DOMAIN: "previews.test" } };
  const hosts = ["previews.test", "*.previews.test"];
  const objects = await render(["gateway-api", "ingress"], site);
  const service = find(objects, "Service");
  const { port, targetPort } = only(service.spec?.ports);
  assert.equal(targetPort, "http");

  const route = find(objects, "HTTPRoute").spec;
  assert.deepEqual(route.hostnames, hosts);
  const rule = only(route.rules);
  const backend = { name: service.metadata?.name, port };
  assert.deepEqual(rule.backendRefs, [backend]);
  assert.deepEqual(rule.timeouts, { request: "0s", backendRequest: "0s" });
  const { listeners } = find(objects, "Gateway").spec;
  const { sectionName } = only(route.parentRefs);
  const listener = listeners.find(({ name }) => name === sectionName);
  assert.equal(listener?.hostname, undefined); // every name
  assert.notEqual(listener, undefined);

  const { spec: ingress, metadata } = find(objects, "Ingress");
  assert.equal(metadata?.annotations, undefined);
  assert.deepEqual(ingress?.rules?.map(({ host }) => host), hosts);
  assert.deepEqual(only(ingress?.tls).hosts, hosts);
  for (const { http } of ingress?.rules ?? []) {
    const { path, backend } = only(http?.paths);
    assert.equal(path, "/");
    assert.equal(backend.service?.name, service.metadata?.name);
    assert.equal(backend.service?.port?.name, "http");
  }
});

/** The namespaces that a rule of a network policy is about. */
function namespacesOf(
  peers: readonly {
    readonly namespaceSelector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
    };
  }[] = [],
): (string | undefined)[] {
  return peers.map(({ namespaceSelector }) =>
    namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"]
  );
}

test("only the front reaches the gateways, which believe it, and only Prometheus their metrics", async () => {
  const objects = await render(["monitoring"]);
  const rules = objects.filter(({ kind }) => kind === "NetworkPolicy")
    .flatMap((policy) =>
      (policy as unknown as NetworkPolicy).spec?.ingress ?? []
    ).map(({ ports, from }) => [only(ports).port, ...namespacesOf(from)]);
  assert.deepEqual(
    new Set(rules),
    new Set([
      ["http", "envoy-gateway-system"],
      [9464, "monitoring"],
    ]),
  );
  const all = find(objects, "NetworkPolicy").spec;
  assert.deepEqual(all?.policyTypes, ["Ingress", "Egress"]);
  assert.equal(all?.ingress, undefined);
  const { listen, metrics } = configOf(objects);
  assert.equal(listen.trustedProxies.length, 1);
  assert.equal(metrics?.port, 9464);
});

test("the gateways reach names, Daytona, runners and the internet by TLS, and no machine's metadata", async () => {
  const objects = await render([]);
  const names = only(find(objects, "NetworkPolicy").spec?.egress);
  assert.deepEqual(namespacesOf(names.to), ["kube-system"]);
  assert.deepEqual(
    new Set(names.ports?.map(({ port }) => port)),
    new Set([53]),
  );
  const [daytona, runners] =
    find(objects, "NetworkPolicy", "porthole-to-daytona").spec?.egress ?? [];
  assert.deepEqual(namespacesOf(daytona?.to), ["daytona"]);
  // As the settings name the API and Redis.
  const settings = environment(objects);
  const ports = ["DAYTONA_API_URL", "CACHE_URL"].map((name) => {
    const url = new URL(settings[name] ?? "");
    assert.match(url.hostname, /\.daytona\.svc$/);
    return Number(url.port);
  });
  assert.deepEqual(daytona?.ports?.map(({ port }) => port), ports);
  assert.equal(only(runners?.ports).port, 3003);
  assert.match(only(runners?.to).ipBlock?.cidr ?? "", /^10\./);
  const internet = only(
    find(objects, "NetworkPolicy", "porthole-to-internet").spec?.egress,
  );
  assert.equal(only(internet.ports).port, 443);
  const [four, six] = internet.to ?? [];
  assert(four?.ipBlock?.except?.includes("169.254.0.0/16"));
  assert(six?.ipBlock?.except?.includes("fc00::/7"));
});

/** Without line feeds in folded texts, to which Kustomize adds some. */
function inOneLine(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/(?:\\n| )+/g, " "));
}

test("the alerts are those of prometheus-rules.yaml, on a job of the name that they expect", async () => {
  const objects = await render(["monitoring"]);
  const rules = parse(await readDeployFile("prometheus-rules.yaml"));
  const { spec } = find(objects, "PrometheusRule");
  assert.deepEqual(inOneLine(spec), inOneLine(rules));
  const { jobLabel, podMetricsEndpoints } = find(objects, "PodMonitor").spec;
  const { spec: gateways } = find(objects, "Deployment");
  assert.equal(gateways?.template.metadata?.labels?.[jobLabel], "porthole");
  assert.equal(only(podMetricsEndpoints).port, "metrics");
});

test("a Redis Cluster is reached by TLS, with an authority's file where the gateway may read", async () => {
  const objects = await render(["redis-cluster"]);
  const { CACHE_URL, REDIS_CA_FILE } = environment(objects);
  const { hostname, port } = new URL(CACHE_URL ?? "");
  const [, namespace] = hostname.split(".");
  const rule = only(
    find(objects, "NetworkPolicy", "porthole-to-redis").spec?.egress,
  );
  assert.deepEqual(namespacesOf(rule.to), [namespace]);
  assert.equal(only(rule.ports).port, Number(port));
  const { volumeMounts } = podOf(objects).container;
  const { mountPath } = only(volumeMounts);
  assert.equal(REDIS_CA_FILE, `${mountPath}/ca.crt`);
  const { all } = await readDockerfile();
  assert(mountPath.startsWith(`${only(all("VOLUME"))}/`));
  assert.deepEqual(meta.permissions.start.read, ["./data"]);
});
