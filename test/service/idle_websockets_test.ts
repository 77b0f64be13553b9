/** That open WebSockets, which tabs of dev servers hold for hours, take no place of a request, on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import {
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { headOf } from "../support/load_client.ts";
import type { RawStream } from "../support/raw_client.ts";
import { handshakeOf } from "../support/raw_websocket.ts";

/** Handshakes at once: fewer than may wait for one runner. */
const AT_ONCE = 10;

/** Opens a WebSocket for each, to a sandbox from an address; closed when disposed of. */
async function openAll(
  gateway: TestGateway,
  tabs: readonly (readonly [host: string, address: string])[],
): Promise<DisposableStack & { readonly refused: readonly string[] }> {
  const open = new DisposableStack();
  const refused: string[] = [];
  for (let from = 0; from < tabs.length; from += AT_ONCE) {
    await Promise.all(
      tabs.slice(from, from + AT_ONCE).map(async ([host, address]) => {
        const forwarded = { "X-Forwarded-For": address };
        const stream: RawStream = await gateway.open(
          handshakeOf(host, "/ws", forwarded),
        );
        open.use(stream);
        const head = await stream.readUntil("\r\n\r\n");
        if (!head.startsWith("HTTP/1.1 101 ")) refused.push(head);
      }),
    );
  }
  return Object.assign(open, { refused });
}

function addDemos({ stack: { api, runner } }: TestGateway, count: number) {
  const demo = api.state.sandboxes.get("demo") ?? assert.fail();
  const container = runner.containers.get("demo") ?? assert.fail();
  return Array.from({ length: count }, (_, nth) => {
    const id = `tabs-${nth}`;
    api.state.sandboxes.set(id, { ...demo, id });
    runner.containers.set(id, container);
    return DEMO.replace("demo", id);
  });
}

Deno.test("as many idle WebSockets as there may be cost no request its place, with a tenth of the settings for 2 GiB", async () => {
  await using gateway = await startGateway({
    MAX_CONCURRENT_EXCHANGES: "400",
    MAX_TUNNELS: "500",
    MAX_TUNNELS_PER_CLIENT: "40",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const hosts = addDemos(gateway, 10);
  const tabs = Array.from({ length: 500 }, (_, nth) =>
    [
      hosts[nth % hosts.length] ?? assert.fail(),
      `203.0.113.${nth % 14}`,
    ] as const);
  using open = await openAll(gateway, tabs);
  assert.deepEqual(open.refused, []);
  const visitors = Array.from({ length: 20 }, (_, nth) =>
    gateway.send(LOCKED, {
      path: "/echo",
      headers: {
        "x-daytona-preview-token": KEYS.lockedToken,
        "x-forwarded-for": `198.51.100.${nth}`,
      },
    }));
  const statuses = (await Promise.all(visitors)).map(({ status }) => status);
  assert.deepEqual(statuses, Array(20).fill(200));
  using surplus = await openAll(gateway, [[DEMO, "198.51.100.200"]]);
  assert.match(surplus.refused[0] ?? "", /too_many_tunnels/);
});

Deno.test("the open WebSockets of a sandbox leave its requests their places, and other sandboxes theirs of WebSockets", async () => {
  await using gateway = await startGateway({
    MAX_EXCHANGES_PER_SANDBOX: "3",
    MAX_EXCHANGES_PER_ORGANIZATION: "4",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const [other = assert.fail()] = addDemos(gateway, 1);
  const address = (nth: number) => `203.0.113.${nth}`;
  using open = await openAll(
    gateway,
    [0, 1, 2].map((nth) => [DEMO, address(nth)] as const),
  );
  assert.deepEqual(open.refused, []);
  using fourth = await openAll(gateway, [[DEMO, address(3)]]);
  assert.match(fourth.refused[0] ?? "", /sandbox_overloaded/);
  using elsewhere = await openAll(gateway, [[other, address(4)]]);
  assert.deepEqual(elsewhere.refused, []);
  using fifth = await openAll(gateway, [[other, address(5)]]);
  assert.match(fifth.refused[0] ?? "", /organization_overloaded/);
  using streams = new DisposableStack();
  for (const expected of [200, 200, 200, 503]) {
    const stream = streams.use(
      await gateway.open(headOf({ host: DEMO, path: "/sse", headers: {} })),
    );
    const head = await stream.readUntil("\r\n\r\n");
    assert.equal(Number(head.split(" ")[1]), expected);
  }
});
