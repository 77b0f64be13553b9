/** That a slow app or a runner that hangs costs nobody but those who use it, tested on the complete service. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { KEYS, RUNNER_ID } from "../../scripts/stand_in/stack.ts";
import { addSandbox } from "../support/add_sandbox.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { collectLog } from "../support/collected_log.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { headOf } from "../support/load_client.ts";
import { rawStream } from "../support/raw_client.ts";
import { handshakeOf } from "../support/raw_websocket.ts";

/** Visitors that are waited for in turns: their number at once must not be what is refused. */
const AT_ONCE = 3;

/** Longer than any test, ms. */
const PATIENCE_MS = 120_000;

/** Visitors who wait, however long it takes. */
class Crowd implements AsyncDisposable {
  readonly #gateway: TestGateway;
  readonly #open = new DisposableStack();
  readonly #reads: Promise<void>[] = [];
  /** The heads of the responses so far. */
  readonly heads: string[] = [];

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  get size(): number {
    return this.#reads.length;
  }

  /** How many got that code. */
  count(code: string): number {
    const field = `x-porthole-error: ${code}\r\n`;
    return this.heads.filter((head) => head.includes(field)).length;
  }

  /** How many wait for a place at the runner where most do. */
  get queued(): number {
    const metrics = this.#gateway.service.renderMetrics();
    const pattern = /^porthole_limit_used\{limit="queued_per_runner"\} (\d+)$/m;
    return Number(pattern.exec(metrics)?.[1]);
  }

  /** Has so many more ask, and waits until each of them is answered, `waiting()` or queued. */
  async ask(
    requests: readonly string[],
    waiting: () => number,
  ): Promise<void> {
    let turns = 0;
    for (let from = 0; from < requests.length; from += AT_ONCE) {
      for (const request of requests.slice(from, from + AT_ONCE)) {
        const conn = await this.#gateway.connect();
        const stream = this.#open.use(rawStream(conn, PATIENCE_MS));
        await stream.write(request);
        this.#reads.push(
          stream.readUntil("\r\n\r\n").then(
            (head) => void this.heads.push(head),
            () => {},
          ),
        );
      }
      await assertEventually(
        () => {
          const known = this.heads.length + waiting();
          if (known >= this.size) return true;
          // Metrics take too long to be rendered in each turn.
          return ++turns % 50 === 0 && known + this.queued >= this.size;
        },
        "everybody is answered or waits",
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open.dispose();
    await Promise.all(this.#reads);
  }
}

/** So many requests, as from that address. */
function requests(count: number, host: string, address: string): string[] {
  const headers = { "X-Forwarded-For": address };
  return Array.from(
    { length: count },
    () => headOf({ host, path: "/slow", headers }),
  );
}

/** The statuses that so many visitors of a private sandbox on the stack's runner get, each once. */
async function statusesOf(
  gateway: TestGateway,
  visitors: number,
): Promise<number[]> {
  const statuses = new Set<number>();
  for (let visitor = 0; visitor < visitors; visitor += AT_ONCE) {
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, nth) =>
        gateway.send(LOCKED, {
          path: "/echo",
          headers: {
            "x-daytona-preview-token": KEYS.lockedToken,
            "x-forwarded-for": `198.51.100.${visitor + nth}`,
          },
        })),
    );
    for (const { status } of answers) statuses.add(status);
  }
  return [...statuses];
}

// The settings of docs/operate.md for these containers, and what they were once beside, a tenth of each.
for (
  const [container, total, addresses, each] of [
    ["512 MiB", 100, 3, 35],
    ["256 MiB", 40, 2, 20],
  ] as const
) {
  Deno.test(`a slow app whose visitors come from ${addresses} addresses leaves other sandboxes alone, in a container of ${container}`, async () => {
    await using gateway = await startGateway({
      MAX_CONCURRENT_EXCHANGES: String(total),
      MAX_EXCHANGES_PER_CLIENT: String(each + 5),
      TRUSTED_PROXIES: "127.0.0.1",
    });
    let waiting = 0;
    const host = await gateway.serve(() => waiting++);
    await using crowd = new Crowd(gateway);
    for (let nth = 0; nth < addresses; nth++) {
      const asked = requests(each, host, `203.0.113.${nth}`);
      await crowd.ask(asked, () => waiting);
    }
    assert.deepEqual(await statusesOf(gateway, 50), [200]);
    const { size, queued } = crowd;
    assert.equal(crowd.count("sandbox_overloaded"), size - waiting - queued);
  });
}

Deno.test("two apps that hang do not close their runner to a third sandbox", async () => {
  await using gateway = await startGateway({
    MAX_CONCURRENT_EXCHANGES: "100",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const { api, runner } = gateway.stack;
  const demo = api.state.sandboxes.get("demo") ?? assert.fail();
  api.state.sandboxes.set("second", { ...demo, id: "second" });
  assert.equal(demo.runnerId, RUNNER_ID);
  runner.containers.set("second", { started: true, ports: new Map() });
  let waiting = 0;
  await using crowd = new Crowd(gateway);
  for (const id of ["demo", "second"]) {
    const host = await gateway.serve(() => waiting++, id);
    for (let nth = 0; nth < 12; nth++) {
      const asked = requests(5, host, `203.0.113.${nth}`);
      await crowd.ask(asked, () => waiting);
    }
  }
  assert.deepEqual(await statusesOf(gateway, 10), [200]);
  // Of a hundred, a quarter may wait for the runner, and a quarter of these for a sandbox, which may have 26 in all.
  assert.equal(waiting, 14);
  assert.equal(crowd.queued, 38);
  assert.equal(crowd.count("sandbox_overloaded"), crowd.size - 14 - 38);
});

/** A runner that accepts connections, and answers nothing until it is told to. */
async function startHungRunner() {
  const held: (() => void)[] = [];
  const targets: string[] = [];
  let isHung = true;
  function onceAlive(target: string, answer: () => void): void {
    targets.push(target);
    if (isHung) held.push(answer);
    else answer();
  }
  const server = createServer(({ url = "" }, response: ServerResponse) =>
    onceAlive(url, () => response.end("alive"))
  );
  server.on("upgrade", ({ url = "" }, socket: Duplex) => {
    socket.on("error", () => {});
    onceAlive(url, () => void socket.end("HTTP/1.1 400 No\r\n\r\n"));
  });
  const { port, ...loopback } = await listenOnLoopback(server);
  return {
    ...loopback,
    port,
    targets,
    goOn() {
      isHung = false;
      for (const answer of held) answer();
    },
  };
}

Deno.test("a runner that hangs costs other runners' sandboxes nothing, and its own visitors are told at once until it answers", async () => {
  using clock = fakeClock();
  await using log = await collectLog();
  await using gateway = await startGateway({
    MAX_CONCURRENT_EXCHANGES: "100",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  await using runner = await startHungRunner();
  await using crowd = new Crowd(gateway);
  const hosts = Array.from({ length: 40 }, (_, nth) => {
    addSandbox(gateway.stack, `hung-${nth}`, runner.port);
    return `3000-hung-${nth}.${BASE}`;
  });
  for (const [nth, host] of hosts.entries()) {
    // By now it is full. Who comes first waits for a place; once it may be hung, nobody does.
    if (nth === 10) clock.pass(2000);
    const address = `203.0.113.${nth}`;
    const headers = { "X-Forwarded-For": address };
    const asked = [
      ...requests(2, host, address),
      handshakeOf(host, "/ws", headers),
    ];
    await crowd.ask(asked, () => runner.targets.length);
  }
  assert.deepEqual(await statusesOf(gateway, 50), [200]);
  assert.equal(runner.targets.length, 25);
  assert.equal(crowd.queued, 5);
  assert.equal(crowd.count("runner_overloaded"), 90);
  assert.match(crowd.heads[0] ?? "", /^HTTP\/1\.1 503 /);
  assert.match(crowd.heads[0] ?? "", /retry-after: 2\r\n/);

  const [host = ""] = hosts;
  clock.pass(8000);
  assert.equal((await gateway.send(host)).code, "runner_overloaded");
  await assertEventually(
    () => crowd.count("runner_overloaded") === 95,
    "nobody waits for a place for more than 10 s",
  );
  await assertEventually(() => runner.targets.includes("/"), "it is probed");
  clock.pass(5_000);
  const told = await log.next("a runner answers nobody");
  assert.equal(told.runner, runner.url);
  const refused = await gateway.send(host);
  assert.deepEqual([refused.status, refused.code], [
    503,
    "runner_unresponsive",
  ]);
  assert.equal(refused.headers.get("retry-after"), "5");
  assert(!refused.body.includes(String(runner.port)));
  assert.deepEqual(await statusesOf(gateway, 5), [200]);
  const metrics = gateway.service.renderMetrics();
  assert.match(metrics, /^porthole_runners_unresponsive 1$/m);
  assert.match(
    metrics,
    /^porthole_limit_used\{limit="waiting_per_runner"\} 25$/m,
  );

  runner.goOn();
  await log.next("the runner answers again");
  const { status, body } = await gateway.send(host);
  assert.deepEqual([status, body], [200, "alive"]);
  assert.deepEqual(
    runner.targets.filter((target) => !target.startsWith("/sandboxes/")),
    ["/"],
  );
});

Deno.test("who comes while a runner is suspected is told within 5 s, and reaches a sandbox that has moved away from it", async () => {
  using clock = fakeClock();
  await using log = await collectLog();
  await using gateway = await startGateway();
  const { api, runner: { containers } } = gateway.stack;
  await using runner = await startHungRunner();
  await using crowd = new Crowd(gateway);
  const [staying = "", moving = ""] = ["staying", "moving"].map((id) => {
    addSandbox(gateway.stack, id, runner.port);
    return `3000-${id}.${BASE}`;
  });
  for (const host of [staying, moving]) {
    const asked = requests(4, host, "203.0.113.1");
    await crowd.ask(asked, () => runner.targets.length);
  }
  const moved = api.state.sandboxes.get("moving") ?? assert.fail();
  api.state.sandboxes.set("moving", { ...moved, runnerId: RUNNER_ID });
  const ports = containers.get("demo")?.ports ?? assert.fail();
  containers.set("moving", { started: true, ports });

  clock.pass(10_000);
  const visits = [staying, moving].map((host) =>
    gateway.send(host, { path: "/echo" })
  );
  await assertEventually(() => runner.targets.includes("/"), "it is probed");
  clock.pass(5_000);
  await log.next("a runner answers nobody");
  const answers = await Promise.all(visits);
  assert.deepEqual(answers.map(({ status, code }) => [status, code]), [
    [503, "runner_unresponsive"],
    [200, null],
  ]);
  assert.equal(runner.targets.filter((target) => target !== "/").length, 8);
});

Deno.test("a slow app on a runner that lives is never taken for a runner that hangs", async () => {
  using clock = fakeClock();
  await using log = await collectLog();
  await using gateway = await startGateway({ TRUSTED_PROXIES: "127.0.0.1" });
  const { seen } = gateway.stack.runner;
  const polls: ServerResponse[] = [];
  const host = await gateway.serve((_, response) => polls.push(response));
  await using crowd = new Crowd(gateway);
  const asked = requests(10, host, "203.0.113.1");
  await crowd.ask(asked, () => polls.length);
  const probes = () => seen.filter(({ target }) => target === "/").length;
  for (let round = 1; round <= 3; round++) {
    clock.pass(10_000);
    const other = await gateway.send(DEMO, { path: "/echo" });
    assert.equal(other.status, 200);
    assert.equal(probes(), round);
    const late = requests(1, host, "203.0.113.2");
    await crowd.ask(late, () => polls.length);
  }
  assert.equal(polls.length, 13);
  for (const poll of polls) poll.end("news");
  await assertEventually(() => crowd.heads.length === 13, "all are answered");
  assert(crowd.heads.every((head) => head.startsWith("HTTP/1.1 200 ")));
  assert(!log.records().some(({ runner }) => runner !== undefined));
});
