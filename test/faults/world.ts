/**
 * A gateway between bare connections and things that go wrong, and the proof that a fault has left nothing behind: the
 * next request succeeds, and sockets and connections are what they were before.
 */
import assert from "node:assert/strict";
import type { ApiCall, ApiFault, FakeApi } from "../stack/fake_api.ts";
import { RUNNER_ID } from "../stack/stack.ts";
import { startSocketCounter } from "../support/sockets.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import {
  Closed,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "../support/raw_client.ts";
import { type FaultyRunner, startFaultyRunner } from "./faulty_runner.ts";

/** A public sandbox. */
export const DEMO = "3000-demo.proxy.localhost";

/** How many requests meet a fault at once. */
export const AT_ONCE = 8;

/** What a client made of its exchange. */
export interface Reply {
  /** 0 where the connection ended without a head. */
  readonly status: number;
  /** The gateway's own code; undefined where the answer is the app's. */
  readonly code?: string;
  readonly retryAfter?: string;
  /** False where the transfer broke off. */
  readonly isComplete: boolean;
}

/** The world that faults are put into. */
export interface World extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly runner: FaultyRunner;
  readonly api: FakeApi;
  /** Sends a GET on a connection of its own. */
  ask(host?: string): Promise<Reply>;
  connect(): Promise<RawStream>;
  /** A host that the gateway has never heard of: the API must be asked. */
  newHost(): string;
  /** One number of `/metrics`. */
  metric(name: string): number;
  /** How many sockets are open as soon as nothing is under way. */
  sockets(): Promise<number>;
  /** Resolves when nothing is under way and so many sockets are open; throws where that does not come. */
  backAt(sockets: number): Promise<void>;
}

/** Longer than anything takes to end, ms. */
const REST_TIMEOUT_MS = 8_000;

/** A peer that is about to close has done so within so many looks. */
const LOOKS = 5;

/** Deadlines as short as they can be set; activity is left out, as its reports would come at any time. */
const ENVIRONMENT = {
  API_CLIENT_TIMEOUT_SEC: "1",
  UPSTREAM_CONNECT_TIMEOUT_SEC: "1",
  UPSTREAM_HEADER_TIMEOUT_SEC: "1",
  REFUSALS_PER_MINUTE: "1000000",
  CACHE_URL: "none",
} as const;

/** The API closes each connection after its answer, so that none is left to be counted. */
export const closing: ApiFault = async (
  _: ApiCall,
  answer: () => Promise<Response>,
): Promise<Response> => {
  const response = await answer();
  response.headers.set("connection", "close");
  return response;
};

/** The octets of a request. */
export function get(host: string, path = "/"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    "X-Daytona-Skip-Last-Activity-Update: true\r\nConnection: close\r\n\r\n";
}

/** Starts a world in which nothing is wrong; sockets are also counted at the ports `alsoAt`. */
export async function startWorld(
  environment: Readonly<Record<string, string>> = {},
  alsoAt: readonly number[] = [],
): Promise<World> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(await startFaultyRunner());
  const gateway = started.use(
    await startGateway({ ...ENVIRONMENT, ...environment }),
  );
  const counter = started.use(startSocketCounter());
  const { api } = gateway.stack;
  api.fault = closing;
  const ports = [
    gateway.port,
    ...[api.url, runner.url].map((url) => Number(new URL(url).port)),
    ...alsoAt,
  ];
  let sandboxes = 0;

  async function connect(): Promise<RawStream> {
    return rawStream(await gateway.connect());
  }

  function metric(name: string): number {
    const line = gateway.service.renderMetrics().split("\n")
      .find((line) => line.startsWith(`${name} `));
    assert(line !== undefined, name);
    return Number(line.slice(name.length));
  }

  function isAtRest(): boolean {
    return metric("porthole_http_requests_in_flight") === 0 &&
      metric('porthole_upstream_connections{state="active"}') === 0;
  }

  /** The number of sockets, or -1 while something is under way. */
  async function count(): Promise<number> {
    const sockets = await counter.count(ports);
    return isAtRest() ? sockets : -1;
  }

  const known = api.state.runners.get(RUNNER_ID);
  assert(known !== undefined);
  api.state.runners.set(RUNNER_ID, { ...known, proxyUrl: runner.url });
  const owned = started.move();
  return {
    gateway,
    runner,
    api,
    metric,
    connect,
    async ask(host = DEMO) {
      using client = await connect();
      await client.write(get(host));
      return await replyFrom(client);
    },
    newHost() {
      const id = `fault-${++sandboxes}`;
      const demo = api.state.sandboxes.get("demo");
      assert(demo !== undefined);
      api.state.sandboxes.set(id, { ...demo, id });
      return `3000-${id}.proxy.localhost`;
    },
    async sockets() {
      let steady = -1;
      for (let looks = 0; looks < LOOKS; looks++) {
        const now = await count();
        if (now !== steady || now < 0) looks = 0;
        steady = now;
      }
      return steady;
    },
    async backAt(sockets) {
      const until = performance.now() + REST_TIMEOUT_MS;
      for (let now = -1; now !== sockets;) {
        now = await count();
        assert(performance.now() < until, `${now} after ${sockets}`);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Reads what a client gets, whole or not. */
export async function replyFrom(client: RawStream): Promise<Reply> {
  try {
    const { status, fields, isComplete } = await readResponse(client);
    const [code] = valuesOf(fields, "x-porthole-error");
    const [retryAfter] = valuesOf(fields, "retry-after");
    return {
      status,
      isComplete,
      ...code !== undefined && { code },
      ...retryAfter !== undefined && { retryAfter },
    };
  } catch (error) {
    if (!(error instanceof Closed)) throw error;
    return { status: 0, isComplete: false };
  }
}

/** Makes the pauses between tries as short as they can be, until it is disposed. */
export function shortPauses(): Disposable {
  const { random } = Math;
  Math.random = () => 0;
  return {
    [Symbol.dispose]() {
      Math.random = random;
    },
  };
}

/** A fault, what is wanted while it lasts, and its end. */
export interface Fault {
  readonly name: string;
  inject(world: World): void | Promise<void>;
  /** What each request meets. */
  readonly wanted: Reply;
  /** Whether that takes until a deadline: then one round of it must do. */
  readonly isSlow?: boolean;
  heal(world: World): void | Promise<void>;
}

/** What is asked, before, during and after a fault. */
export type Question = (world: World) => Promise<Reply>;

/** What a good app answers. */
export const WELL: Reply = { status: 200, isComplete: true };

/**
 * Lives through a fault: it is met by several requests at once and by one more, each gets the answer that is wanted, and as
 * soon as it is over the service is as it was.
 */
export async function liveThrough(
  world: World,
  { inject, wanted, heal, isSlow = false }: Fault,
  ask: Question,
  well: Reply = WELL,
): Promise<void> {
  assert.deepEqual(await ask(world), well);
  const sockets = await world.sockets();
  const idle = 'porthole_upstream_connections{state="idle"}';
  const connections = world.metric(idle);

  await inject(world);
  try {
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, () => ask(world)),
    );
    assert.deepEqual(replies, replies.map(() => wanted));
    if (!isSlow) assert.deepEqual(await ask(world), wanted);
  } finally {
    await heal(world);
  }
  assert.deepEqual(await ask(world), well);
  await world.backAt(sockets);
  assert.equal(world.metric(idle), connections);
}
