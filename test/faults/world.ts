/**
 * A gateway between raw clients and servers into which faults are injected, and the check that a fault leaves nothing
 * behind: the next request succeeds, and the number of sockets and connections is what it was before.
 */
import assert from "node:assert/strict";
import type { ApiCall, ApiFault, FakeApi } from "../../scripts/stand_in/api.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import {
  BASE,
  DEMO,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import {
  Closed,
  type RawStream,
  readResponse,
  valuesOf,
} from "../support/raw_client.ts";
import { startSocketCounter } from "../support/sockets.ts";
import { type FaultyRunner, startFaultyRunner } from "./faulty_runner.ts";

/** The number of requests that meet a fault at once. */
export const AT_ONCE = 8;

/** The result of an exchange, as the client sees it. */
export interface Reply {
  /** 0 if the connection closed before the end of the head. */
  readonly status: number;
  /** The gateway's error code; undefined if the response is the app's. */
  readonly code?: string;
  readonly retryAfter?: string;
  /** False if the transfer broke off. */
  readonly isComplete: boolean;
}

/** A peer that is about to close has done so within this many counts. */
const STEADY_COUNTS = 5;

/** Deadlines as short as possible. */
const ENVIRONMENT = {
  API_CLIENT_TIMEOUT_SEC: "1",
  UPSTREAM_CONNECT_TIMEOUT_SEC: "1",
  UPSTREAM_HEADER_TIMEOUT_SEC: "1",
  REFUSALS_PER_MINUTE: "1000000",
  CACHE_URL: "none",
} as const;

/** Makes the API close each connection after its response, so that none is left to be counted. */
export const closing: ApiFault = async (
  _: ApiCall,
  answer: () => Promise<Response>,
): Promise<Response> => {
  const response = await answer();
  response.headers.set("connection", "close");
  return response;
};

/** A GET request without activity reports, which could be sent at any time, on a connection that is then closed. */
export function get(host: string, path = "/"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    "X-Daytona-Skip-Last-Activity-Update: true\r\nConnection: close\r\n\r\n";
}

/** Starts a world without faults; sockets are also counted on `otherPorts`. */
export async function startWorld(
  environment: Readonly<Record<string, string>> = {},
  otherPorts: readonly number[] = [],
): Promise<World> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(await startFaultyRunner());
  const gateway = started.use(
    await startGateway({ ...ENVIRONMENT, ...environment }),
  );
  const counter = started.use(startSocketCounter());
  const { api } = gateway.stack;
  api.fault = closing;
  api.runnerOf("demo").proxyUrl = runner.url;
  const ports = [
    gateway.port,
    ...[api.url, runner.url].map((url) => Number(new URL(url).port)),
    ...otherPorts,
  ];
  const sockets = () => counter.count(ports);
  return new World({ gateway, runner, sockets, started: started.move() });
}

/** The world into which faults are injected. */
export class World implements AsyncDisposable {
  readonly gateway: TestGateway;
  readonly runner: FaultyRunner;
  readonly api: FakeApi;
  readonly #countSockets: () => Promise<number>;
  readonly #started: AsyncDisposableStack;
  #sandboxes = 0;

  constructor(parts: {
    readonly gateway: TestGateway;
    readonly runner: FaultyRunner;
    readonly sockets: () => Promise<number>;
    readonly started: AsyncDisposableStack;
  }) {
    this.gateway = parts.gateway;
    this.runner = parts.runner;
    this.api = parts.gateway.stack.api;
    this.#countSockets = parts.sockets;
    this.#started = parts.started;
  }

  /** Sends a GET on a new connection. */
  async ask(host = DEMO): Promise<Reply> {
    using client = await this.gateway.open(get(host));
    return await replyFrom(client);
  }

  /** The host of a new sandbox, about which the gateway must ask the API; on a new runner, about that, too. */
  newHost({ onNewRunner = false } = {}): string {
    const id = `fault-${++this.#sandboxes}`;
    const { api } = this;
    const demo = api.sandbox("demo");
    const runnerId = onNewRunner ? crypto.randomUUID() : demo.runnerId;
    api.state.runners.set(runnerId, api.runnerOf("demo"));
    api.state.sandboxes.set(id, { ...demo, id, runnerId });
    return `3000-${id}.${BASE}`;
  }

  /** The value of a metric. */
  metric(name: string): number {
    const line = this.gateway.service.renderMetrics().split("\n")
      .find((line) => line.startsWith(`${name} `));
    assert(line !== undefined, name);
    return Number(line.slice(name.length));
  }

  /** Waits until nothing is in flight, and returns the number of open sockets. */
  async sockets(): Promise<number> {
    let steady = -1;
    for (let counts = 0; counts < STEADY_COUNTS; counts++) {
      const now = await this.#count();
      if (now !== steady || now < 0) counts = 0;
      steady = now;
    }
    return steady;
  }

  /**
   * Waits until nothing is in flight and so many sockets are open.
   *
   * @throws {AssertionError} if that takes longer than 30 s.
   */
  async untilAtRest(sockets: number): Promise<void> {
    await assertEventually(
      async () => await this.#count() === sockets,
      `${sockets} sockets, and nothing in flight`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync();
  }

  /** The number of sockets, or -1 while something is in flight. */
  async #count(): Promise<number> {
    const sockets = await this.#countSockets();
    const isAtRest = this.metric("porthole_http_requests_in_flight") === 0 &&
      this.metric('porthole_upstream_connections{state="active"}') === 0;
    return isAtRest ? sockets : -1;
  }
}

/** Reads a response, complete or not. */
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

/** Makes the pauses between retries as short as possible, until it is disposed. */
export function shortPauses(): Disposable {
  const { random } = Math;
  Math.random = () => 0;
  return {
    [Symbol.dispose]() {
      Math.random = random;
    },
  };
}

/** A fault, and the reply that clients must get while it lasts. */
export interface Fault {
  readonly name: string;
  inject(world: World): void | Promise<void>;
  /** The reply to each request. */
  readonly expected: Reply;
  /** True if the reply takes until a deadline, in which case one round has to suffice. */
  readonly isSlow?: boolean;
  heal(world: World): void | Promise<void>;
}

/** The exchange that is made before, during and after a fault. */
export type Exchange = (world: World) => Promise<Reply>;

/** The reply of a healthy app. */
export const HEALTHY: Reply = { status: 200, isComplete: true };

/**
 * Injects a fault, under which several concurrent exchanges and a further one must get the expected reply, and checks
 * that the service recovers as soon as the fault is over.
 */
export async function surviveFault(
  world: World,
  { inject, expected, heal, isSlow = false }: Fault,
  exchange: Exchange,
  healthy: Reply = HEALTHY,
): Promise<void> {
  assert.deepEqual(await exchange(world), healthy);
  const sockets = await world.sockets();
  const idle = 'porthole_upstream_connections{state="idle"}';
  const connections = world.metric(idle);

  await inject(world);
  try {
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, () => exchange(world)),
    );
    assert.deepEqual(replies, replies.map(() => expected));
    if (!isSlow) assert.deepEqual(await exchange(world), expected);
  } finally {
    await heal(world);
  }
  assert.deepEqual(await exchange(world), healthy);
  await world.untilAtRest(sockets);
  assert.equal(world.metric(idle), connections);
}
