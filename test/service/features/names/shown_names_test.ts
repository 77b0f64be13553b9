/** What visitors, members and operators see of a name: on pages, in the access log, in the metrics and the owner's view. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { FEATURES } from "../../../../src/modules.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { BASE } from "../../../support/gateway.ts";
import { textFile } from "../../../support/text_file.ts";
import {
  testInBothWorlds as test,
  testLoginsInBothWorlds,
  WORLDS,
} from "../../../support/worlds.ts";

/** A browser that shows the response in a window. */
const PAGE = { "sec-fetch-mode": "navigate", accept: "text/html" };

const CLOSED = `closed.${BASE}`;
const STOPPED = `shop.${BASE}`;
const PRIVATE = "www.shop.example";
const NAMES = {
  [CLOSED]: { sandbox: "demo", port: 8000 },
  [STOPPED]: { sandbox: "stopped", port: 3000 },
  [PRIVATE]: { sandbox: "locked", port: 3000 },
};

type Environment = Readonly<Record<string, string>>;

/** Starts a gateway that has {@linkcode NAMES}. */
async function withNames<G extends AsyncDisposable>(
  start: (environment: Environment) => Promise<G>,
): Promise<G> {
  await using started = new AsyncDisposableStack();
  const file = started.use(await textFile(JSON.stringify(NAMES)));
  const gateway = started.use(
    await start({ NAMES: "operator", NAMES_FILE: file.path }),
  );
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("an error page at a name has the name in place of port and sandbox, whoever asks", async (startGateway) => {
  await using gateway = await withNames(startGateway);
  gateway.stack.runner.containers.get("demo")?.ports.set(8000, 1);
  for (
    const [host, method, code, sandbox] of [
      [`${CLOSED}:8443`, "GET", "port_closed", /\bdemo\b/],
      [STOPPED, "GET", "sandbox_stopped", /-stopped|\/stopped/],
      // For a form, nobody is sent to the login.
      [PRIVATE, "POST", "login_required", /\blocked\b/],
    ] as const
  ) {
    const page = await gateway.send(host, { headers: PAGE, method });
    assert.equal(page.code, code, host);
    assert.ok(page.body.includes(`<title>${host}: `), page.body);
    assert.ok(page.body.includes(`<dt>Name</dt><dd class="name">${host}<`));
    assert.doesNotMatch(page.body, /<dt>Sandbox/);
    assert.doesNotMatch(page.body, sandbox);
    assert.doesNotMatch(page.rawHeaders.join("\n"), sandbox);
  }
  const led = await gateway.send(PRIVATE, { headers: PAGE });
  assert.doesNotMatch(led.rawHeaders.join("\n") + led.body, /\blocked\b/);
  const { detail } = (await gateway.send(STOPPED)).json();
  assert.equal(detail, `It serves ${STOPPED} only while it is running.`);
});

testLoginsInBothWorlds(
  "who logs in for a name without access reads which name that was, and not what it stands for",
  async (start) => {
    await using gateway = await withNames(start);
    const browser = gateway.browser();
    const url = `http://${PRIVATE}:${gateway.port}/`;
    const { page } = await browser.openAs("mallory", url);
    assert.equal(page.headers.get("x-porthole-error"), "no_access");
    const { host } = new URL(url);
    assert.ok(page.body.includes(`<dt>Name</dt><dd class="name">${host}<`));
    assert.doesNotMatch(page.body, /<dt>Sandbox/);
  },
);

test("a host that may be meant for a name is named on the page that knows none, and a signed link is not", async (startGateway) => {
  await using gateway = await withNames(startGateway);
  for (
    const [label, isNamed] of [
      ["nothing", true],
      ["box-3000", true],
      [KEYS.signedToken, false],
      [`x-${KEYS.signedToken}`, false],
      ["03000-demo", false],
    ] as const
  ) {
    const host = `${label}.${BASE}:8443`;
    const page = await gateway.send(host, { headers: PAGE });
    assert.equal(page.code, "bad_host");
    assert.equal(page.body.includes(`<title>${host}: `), isNamed, label);
    assert.ok(!page.body.includes(KEYS.signedToken), label);
  }
});

test("the access log says by which name a request came, and nothing of any other host", async (startGateway) => {
  await using log = await collectLog();
  const options = { lines: log.lines };
  await using gateway = await withNames((environment) =>
    startGateway(environment, options)
  );
  await gateway.send(`${PRIVATE}:8443`);
  await gateway.send(`3000-locked.${BASE}`);
  await gateway.service.close();
  const records = log.records()
    .filter(({ message }) => message === "request");
  assert.deepEqual(records.map(({ name, port }) => [name, port]), [
    [PRIVATE, 3000],
    [undefined, 3000],
  ]);
  assert.doesNotMatch(JSON.stringify(records), /8443|proxy\.localhost/);
});

test("the metrics count names by state, and are without them where they are off", async (startGateway) => {
  await using gateway = await withNames(startGateway);
  const metrics = gateway.service.renderMetrics();
  assert.match(metrics, /^porthole_names\{state="active"\} 3$/m);
  assert.match(metrics, /^porthole_names\{state="suspended"\} 0$/m);
  assert.doesNotMatch(metrics, /shop/);
  await using plain = await startGateway();
  assert.doesNotMatch(plain.service.renderMetrics(), /^porthole_names\{/m);
});

/** Features that show names, if they are there. */
const others = new Set(FEATURES.map(({ name }) => name));

if (others.has("base_page")) {
  test("the form of the base domain's page leads to a name, by the port that its visitor uses", async (startGateway) => {
    await using gateway = await withNames(startGateway);
    for (
      const [typed, location] of [
        [STOPPED, `http://${STOPPED}:8443/`],
        [
          ` https://${PRIVATE.toUpperCase()}/a?b#c `,
          `http://${PRIVATE}:8443/a?b#c`,
        ],
        [
          `http://${STOPPED}:1//evil.test`,
          `http://${STOPPED}:8443//evil.test`,
        ],
        ["nothing.example", null],
        [BASE, null],
      ] as const
    ) {
      const query = new URLSearchParams({ port: "3000", sandbox: typed });
      const path = `/open?${query}`;
      const { headers } = await gateway.send(`${BASE}:8443`, { path });
      assert.equal(headers.get("location"), location, typed);
    }
  });
}

if (others.has("inspect")) {
  for (const { suffix, memberKey, startGateway } of WORLDS) {
    Deno.test(`the owner's view says by which name a request came${suffix}`, async () => {
      await using gateway = await withNames(startGateway);
      gateway.stack.runner.containers.get("demo")?.ports.set(8000, 1);
      await gateway.send(`${CLOSED}:8443`);
      using stream = await gateway.open(
        `GET /inspect/demo/events HTTP/1.1\r\nhost: ${BASE}\r\nauthorization: Bearer ${memberKey}\r\n\r\n`,
      );
      await stream.readUntil("event: exchange\n");
      const seen = await stream.readUntil("\n\n");
      assert.ok(seen.includes(`"port":8000,"name":"${CLOSED}:8443"`), seen);
    });
  }
}
