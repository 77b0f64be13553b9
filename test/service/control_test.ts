/** The gateway's own routes, tested on the complete service. */
import assert from "node:assert/strict";
import generated from "../../openapi/porthole.json" with { type: "json" };
import type { ApiState } from "../../scripts/stand_in/api_state.ts";
import {
  keepDescriptors,
  ranOutOfDescriptors,
} from "../../src/lib/descriptors.ts";
import { collectLog } from "../support/collected_log.ts";
import { BASE, DEMO, startGateway } from "../support/gateway.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { untilReady } from "../support/ready.ts";
import {
  testInBothWorlds as test,
  testLoginsInBothWorlds as testLogins,
} from "../support/worlds.ts";

test("/health answers on any host that is no preview, whoever asks", async (startGateway) => {
  await using gateway = await startGateway();
  gateway.stack.api.outage = 500;
  const pod = "10-0-0-7.gateway.pod.cluster.local";
  for (const host of [BASE, "127.0.0.1", "lb.internal", pod]) {
    const answer = await gateway.send(host, { path: "/health" });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), { status: "ok", version: "0.0.0" });
  }
});

testLogins(
  "/ready tells of each dependency, and of a drain",
  async (startLoginGateway) => {
    await using gateway = await startLoginGateway();
    const ready = await gateway.send(BASE, { path: "/ready" });
    assert.equal(ready.status, 200);
    assert.deepEqual(ready.json().checks, {
      api: "ok",
      key: "ok",
      cache: "ok",
      records: "off",
      domains: "ok",
      login: "ok",
    });
    gateway.service.startDraining();
    const draining = await gateway.send(BASE, { path: "/ready" });
    assert.equal(draining.status, 503);
    assert.equal(draining.json().status, "draining");
  },
);

Deno.test("/ready is 503 while everything new is, as no file descriptors are left", async () => {
  await using gateway = await startGateway();
  const ask = async () => {
    const [ready, visit] = [
      await gateway.send(BASE, { path: "/ready" }),
      await gateway.send(DEMO, { path: "/echo" }),
    ];
    return [ready.status, ready.json().status, visit.status, visit.code];
  };
  {
    using _ = keepDescriptors(() => {
      throw new Error("Too many open files");
    }, () => {});
    ranOutOfDescriptors("Too many open files");
    assert.deepEqual(await ask(), [503, "overloaded", 503, "overloaded"]);
  }
  assert.deepEqual(await ask(), [200, "ready", 200, null]);
});

testLogins(
  "/ready is degraded, not failing, while the identity provider is down",
  async (startLoginGateway) => {
    const nobody = "http://127.0.0.1:1";
    const known = { OIDC_DOMAIN: nobody, OIDC_CLIENT_ID: "porthole" };
    await using gateway = await startLoginGateway(known, {
      status: "degraded",
    });
    const answer = await gateway.send(BASE, { path: "/ready" });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), {
      status: "degraded",
      checks: {
        api: "ok",
        key: "ok",
        cache: "ok",
        records: "off",
        domains: "ok",
        login: "failing",
      },
    });
  },
);

test("/ready is 503 until the API was seen", async (startGateway) => {
  await using gateway = await startGateway({ API_CLIENT_TIMEOUT_SEC: "1" });
  gateway.stack.api.outage = 500;
  const answer = await gateway.send(BASE, { path: "/ready" });
  assert.equal(answer.status, 503);
  assert.equal(answer.json().status, "starting");
  const { login, ...checks } = Object(answer.json().checks);
  assert.deepEqual(checks, {
    api: "failing",
    key: "failing",
    cache: "ok",
    records: "off",
    domains: "ok",
  });
  assert.match(login, /^(?:failing|off)$/);
});

Deno.test("in front of somebody else's Daytona, /ready is ready without a login, and says that there is none", async () => {
  await using gateway = await startHostedGateway();
  await untilReady(gateway.port);
  const answer = await gateway.send(BASE, { path: "/ready" });
  assert.equal(Object(answer.json().checks).login, "off");
});

/** The gateway's own key in each world: how the API comes to know `another-key`, and what the log says of it. */
const OWN_KEYS = [
  {
    world: "",
    startGateway,
    name: "PROXY_API_KEY",
    wanted: "the value that the API has under the same name",
    accept: (state: ApiState) =>
      void state.services.set("another-key", { role: "proxy" }),
    refuse: (state: ApiState) => void state.services.delete("another-key"),
  },
  {
    world: " (somebody else's Daytona)",
    startGateway: startHostedGateway,
    name: "DAYTONA_API_KEY",
    wanted: "an API key of your organization, which the dashboard makes",
    accept: (state: ApiState) =>
      void state.users.set("another-key", new Set(state.sandboxes.keys())),
    refuse: (state: ApiState) => void state.users.delete("another-key"),
  },
] as const;

for (const { world, startGateway, name, wanted, ...api } of OWN_KEYS) {
  Deno.test(`/ready notices that the API does not accept the gateway's key, and the log says so once${world}`, async () => {
    await using log = await collectLog();
    await using gateway = await startGateway({ [name]: "another-key" });
    const { state } = gateway.stack.api;
    const ready = () => gateway.send(BASE, { path: "/ready" });
    for (const _ of [1, 2]) {
      const answer = await ready();
      assert.equal(answer.status, 503);
      assert.equal(answer.json().status, "starting");
      assert.equal(Object(answer.json().checks).key, "failing");
    }
    const preview = await gateway.send(DEMO);
    assert.equal(preview.json().code, "api_unreachable");

    api.accept(state);
    const open = await gateway.send(DEMO);
    assert.equal(open.status, 200);
    await untilReady(gateway.port);

    api.refuse(state);
    const unseen = await gateway.send("3000-unseen.proxy.localhost");
    assert.equal(unseen.status, 503);
    const degraded = await ready();
    assert.equal(degraded.status, 200);
    assert.equal(degraded.json().status, "degraded");

    await gateway.service.close();
    const text = `the API does not accept ${name}: it must be ${wanted}`;
    const told = log.records().filter(({ message }) =>
      String(message).includes(name) || /: key/.test(String(message))
    );
    assert.deepEqual(told.map(({ level, message }) => [level, message]), [
      ["ERROR", text],
      ["WARN", "not ready: key"],
      ["INFO", `the API accepts ${name} now`],
      ["INFO", "ready again: key"],
      ["ERROR", text],
      ["WARN", "not ready: key"],
    ]);
  });
}

Deno.test("in front of one's own Daytona, the base domain is learnt from the API where none is configured", async () => {
  await using gateway = await startGateway({ PROXY_DOMAIN: "" });
  await untilReady(gateway.port);
  const answer = await gateway.send(DEMO);
  assert.equal(answer.status, 200);
});

Deno.test("in front of one's own Daytona, a preview is a 503, not a 404, until the API has told which domains are ours", async () => {
  await using gateway = await startGateway({
    PROXY_DOMAIN: "",
    OIDC_DOMAIN: "http://127.0.0.1:1",
    OIDC_CLIENT_ID: "porthole",
    API_CLIENT_TIMEOUT_SEC: "1",
  });
  gateway.stack.api.outage = 500;
  for (const path of ["/", "/healthy", "/login", "/toolbox/demo/files"]) {
    const answer = await gateway.send(DEMO, { path });
    assert.equal(answer.status, 503, path);
    assert.equal(answer.code, "api_unreachable");
    assert.notEqual(answer.headers.get("retry-after"), null);
  }
  for (const path of ["/login?return_to=x", "/callback?state=x"]) {
    const answer = await gateway.send(BASE, { path });
    assert.equal(answer.json().code, "login_unavailable", path);
  }
  // A liveness probe by such a name must not restart us for as long as the API is down.
  const pod = "10-0-0-7.gateway.pod.cluster.local";
  const { status } = await gateway.send(pod, { path: "/health" });
  assert.equal(status, 200);
  // A host that is no preview's was never one of ours.
  const other = await gateway.send("02280-demo.proxy.localhost");
  assert.equal(other.json().code, "route_not_found");
});

test("a preview host below another domain is unknown_domain, whatever its path", async (startGateway) => {
  await using gateway = await startGateway();
  for (const path of ["/", "/healthy", "/toolbox/demo/files"]) {
    const answer = await gateway.send("3000-demo.elsewhere.test", { path });
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json().code, "unknown_domain");
  }
});

test("/openapi.json and /docs describe the routes as the generated file does, and load nothing from elsewhere", async (startGateway) => {
  await using gateway = await startGateway();
  const description = await gateway.send(BASE, { path: "/openapi.json" });
  assert.deepEqual(description.json().paths, generated.paths);
  const docs = await gateway.send(BASE, { path: "/docs" });
  assert.match(docs.body, /port_closed/);
  assert.doesNotMatch(docs.body, /(?:src|href)="(?:https?:)?\/\/|<script/);
});

test("a page about the app leads its developer to /docs/apps on the base host, which loads nothing from elsewhere", async (startGateway) => {
  await using gateway = await startGateway();
  const page = await gateway.send(`8000-demo.${BASE}`, {
    headers: { "sec-fetch-mode": "navigate", accept: "text/html" },
  });
  assert.equal(page.code, "port_closed");
  const [, path = ""] = page.body.match(
    new RegExp(`href="http://${BASE}(/docs/apps)"`),
  ) ?? [];
  const guide = await gateway.send(BASE, { path });
  assert.equal(guide.status, 200);
  assert.match(guide.body, /<h2 id="what-your-app-receives">/);
  assert.match(guide.body, /X-Forwarded-Host/);
  assert.doesNotMatch(
    guide.body,
    /(?:src|href)="(?:https?:)?\/\/|<script|<!--/,
  );
});

test("an unknown path is a 404 problem document", async (startGateway) => {
  await using gateway = await startGateway();
  const unknown = await gateway.send(BASE, { path: "/nothing" });
  assert.equal(unknown.status, 404);
  assert.equal(unknown.json().code, "route_not_found");
});

test("the gateway's own pages refuse what is long and encodes no UTF-8, and apps get it as it came", async (startGateway) => {
  await using gateway = await startGateway();
  const many = "%ff.".repeat(300);
  for (const path of [`/${many}`, `/login?return_to=${many}`]) {
    const { status, code } = await gateway.send(BASE, { path });
    assert.deepEqual([status, code], [400, "bad_request"], path);
  }
  const path = `/echo?a=${many}&%=%`;
  assert.equal((await gateway.send(DEMO, { path })).json()["url"], path);
});

test("S14: a request without Host gets a 400, except of a probe, which HTTP/1.0 sends without", async (startGateway) => {
  await using gateway = await startGateway();
  await untilReady(gateway.port);
  for (
    const [line, status] of [
      ["GET / HTTP/1.1", "400"],
      ["POST /x HTTP/1.1", "400"],
      ["GET /login?return_to=x HTTP/1.1", "400"],
      ["GET /logout HTTP/1.1", "400"],
      ["GET /toolbox/demo/version HTTP/1.1", "400"],
      ["GET /snapshots/demo/build-logs HTTP/1.1", "400"],
      ["GET / HTTP/1.0", "400"],
      ["GET /health HTTP/1.0", "200"],
      ["GET /health HTTP/1.1", "200"],
    ] as const
  ) {
    using client = await gateway.open(`${line}\r\n\r\n`);
    const head = await client.readUntil("\r\n\r\n");
    assert.equal(head.split(" ", 2)[1], status, line);
    if (status === "400") assert.match(head, /x-porthole-error: bad_host/);
  }
  using named = await gateway.open("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match(await named.readUntil("\r\n\r\n"), /^HTTP\/1\.1 404 /);
});

Deno.test("the icon of our pages is within them, and an app's /favicon.ico is the app's", async () => {
  await using gateway = await startGateway();
  const page = await gateway.send(BASE, { path: "/docs" });
  assert.match(page.body, /<link rel="icon" href="data:image\/svg\+xml,/);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /; img-src data:;/,
  );
  const host = await gateway.serve((request, response) =>
    response.end(`the app's ${request.url}`)
  );
  const icon = await gateway.send(host, { path: "/favicon.ico" });
  assert.equal(icon.body, "the app's /favicon.ico");
});
