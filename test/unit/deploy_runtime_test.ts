/** The entry point on the version of Deno that Deno Deploy has, which cannot be chosen there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import meta from "../../deno.json" with { type: "json" };
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import {
  complaintsOf,
  deploy,
  echo,
  LOCKED,
  openEcho,
} from "../support/deployed.ts";
import { KvConnect } from "../support/kv_connect.ts";
import { platformDeno } from "../support/platform_deno.ts";
import { untilReady } from "../support/ready.ts";

const BASE = "proxy.localhost";
const DEMO = "3000-demo.proxy.localhost";

const { entrypoint } = meta.deploy.runtime;
const { path, absence } = await platformDeno();

Deno.test({
  name:
    "on Deno Deploy's version of Deno, with all permissions and no flags, it serves what the demo shows" +
    (absence === undefined ? "" : ` [${absence}]`),
  ignore: path === undefined,
  async fn(t) {
    await using stack = await startStack();
    await using database = new KvConnect();
    await using gateway = await deploy(stack, {
      DENO_KV_DEFAULT_PATH: database.url,
      DENO_KV_ACCESS_TOKEN: database.accessToken,
    }, { command: [path ?? "", "run", "-A", entrypoint] });
    await untilReady(gateway.port);
    const token = { "x-daytona-preview-token": KEYS.lockedToken };

    await t.step("a public preview", async () => {
      const { status, body } = await gateway.ask(DEMO);
      assert.equal(status, 200);
      assert.match(body, /<html/);
    });

    await t.step("a private one", async () => {
      const { status } = await gateway.ask(LOCKED, { headers: token });
      assert.equal(status, 200);
      assert.equal((await gateway.ask(LOCKED)).status, 401);
    });

    await t.step("a signed link", async () => {
      const signed = `3000-${KEYS.signedToken}.${BASE}`;
      assert.equal((await gateway.ask(signed)).status, 200);
    });

    await t.step("uploads", async () => {
      const sent = await gateway.ask(LOCKED, {
        method: "POST",
        path: "/echo",
        headers: token,
        body: "hello",
      });
      assert.equal(sent.json().body, "hello");
      const body = new Uint8Array(1 << 20);
      const long = await gateway.ask(DEMO, {
        method: "POST",
        path: "/upload",
        headers: { "transfer-encoding": "chunked" },
        body,
      });
      assert.equal(long.json().bytes, body.length);
    });

    await t.step("a long download, and events", async () => {
      const long = await gateway.ask(DEMO, { path: "/bytes?size=3000000" });
      assert.equal(long.bytes.length, 3_000_000);
      const events = await gateway.ask(DEMO, {
        path: "/sse?count=3&interval=1",
      });
      assert.equal(events.body.match(/^data:/gm)?.length, 3);
    });

    await t.step("WebSockets", async () => {
      const long = "x".repeat(1 << 20);
      assert.equal(await echo(gateway.port, long), long);
    });

    await t.step("its own pages", async () => {
      for (const path of ["/docs/apps", "/docs", "/health"]) {
        assert.equal((await gateway.ask(BASE, { path })).status, 200, path);
      }
      const { body } = await gateway.ask(BASE, { path: "/docs/apps" });
      assert.match(body, /<style>.+<h1 id="your-app-behind-a-preview">/s);
    });

    await t.step("the database", async () => {
      await database.hasKeyWith("sandbox-runner-info", "locked");
      assert.match(database.contents(), /sandbox-runner-info/);
    });

    assert.deepEqual(complaintsOf(gateway), []);
    await t.step("the end, for which there are 5 s", async () => {
      const tunnel = await openEcho(gateway.port);
      const closed = once(tunnel, "close");
      const ended = gateway.end("SIGINT");
      assert.equal((await closed)[0], 1001);
      assert.equal((await ended).code, 0);
    });
  },
});
