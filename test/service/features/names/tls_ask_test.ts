/** What a front asks before it gets a certificate, on the complete service. */
import assert from "node:assert/strict";
import {
  BASE,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { untilReady } from "../../../support/ready.ts";
import { TestDns } from "../../../support/test_dns.ts";
import { textFile } from "../../../support/text_file.ts";

const NAME = "shop.customer.test";
const MADE_UP = 10_000;

/** A gateway, and its DNS, which is away. */
interface NamedGateway extends TestGateway {
  readonly dns: TestDns;
}

/** Starts one that has that name for port 3000 of the public sandbox, and members' names in a database. */
async function startNamed(): Promise<NamedGateway> {
  await using started = new AsyncDisposableStack();
  const file = started.use(
    await textFile(JSON.stringify({ [NAME]: { sandbox: "demo", port: 3000 } })),
  );
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  started.defer(() => Deno.remove(dir, { recursive: true }));
  const dns = new TestDns();
  dns.failure = new Deno.errors.TimedOut("DNS is away");
  const environment = {
    NAMES: "members",
    NAMES_FILE: file.path,
    RECORDS_URL: `kv:${dir}/records.sqlite`,
  };
  const gateway = started.use(
    await startGateway(environment, { resolveDns: dns.resolve }),
  );
  await untilReady(gateway.port);
  const owned = started.move();
  return {
    ...gateway,
    dns,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The status of the answer on the listener for metrics. */
function ask({ service }: TestGateway, host: string): number {
  const page = service.metricsPages["/tls/ask"] ?? assert.fail();
  const url = `http://127.0.0.1:9464/tls/ask?domain=${host}`;
  return page(new Request(url)).status;
}

Deno.test("what a front asks is answered from memory: made-up names cost no question to API or DNS, whose outage changes nothing", async () => {
  await using gateway = await startNamed();
  const { api } = gateway.stack;
  const before = api.calls.length;
  for (let i = 0; i < MADE_UP; i++) {
    const host = `${crypto.randomUUID()}.customer.test`;
    assert.equal(ask(gateway, host), 403, host);
  }
  assert.equal(api.calls.length, before);
  api.outage = 503;
  assert.equal(ask(gateway, NAME), 200);
  assert.equal(ask(gateway, BASE), 200);
  assert.equal(api.calls.length, before);
  assert.deepEqual(gateway.dns.asked, []);
});

Deno.test("a visit to a made-up name is refused without a question to API or DNS", async () => {
  await using gateway = await startNamed();
  const before = gateway.stack.api.calls.length;
  for (let i = 0; i < 50; i++) {
    const host = `${crypto.randomUUID()}.customer.test`;
    const { status } = await gateway.send(host);
    assert.equal(status, 404, host);
  }
  assert.equal(gateway.stack.api.calls.length, before);
  assert.deepEqual(gateway.dns.asked, []);
});

Deno.test("visitors cannot ask: the path is unknown on base hosts, and the app's on a name", async () => {
  await using gateway = await startNamed();
  const path = `/tls/ask?domain=${NAME}`;
  for (const host of [BASE, "127.0.0.1", "other.customer.test"]) {
    const { status, code } = await gateway.send(host, { path });
    assert.equal(status, 404, host);
    assert.notEqual(code, null, host);
  }
  const { code } = await gateway.send(NAME, { path });
  assert.equal(code, null); // whatever the app says of it
});
