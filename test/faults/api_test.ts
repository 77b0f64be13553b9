/** What becomes of requests while the API misbehaves, and of the gateway afterwards. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiFault } from "../stack/fake_api.ts";
import type { OperationId } from "../stack/fake_api_operations.ts";
import { LAST_ANSWER } from "./faulty_runner.ts";
import {
  closing,
  type Fault,
  liveThrough,
  type Reply,
  shortPauses,
  startWorld,
  WELL,
} from "./world.ts";

const UNREACHABLE = {
  status: 503,
  code: "api_unreachable",
  retryAfter: "2",
  isComplete: true,
} as const;

/** A fault of the answers to one operation. */
function wrongly(operation: OperationId, fault: ApiFault): ApiFault {
  return (call, answer) =>
    (call.operation === operation ? fault : closing)(call, answer);
}

/** The API says this instead. */
function saying(body: BodyInit, init: ResponseInit = {}): ApiFault {
  const headers = { "content-type": "application/json", ...init.headers };
  return closingAfter(() => new Response(body, { ...init, headers }));
}

function closingAfter(answer: () => Response | Promise<Response>): ApiFault {
  return (call) => closing(call, async () => await answer());
}

const runnerIs = (fault: ApiFault) => wrongly("getRunnerBySandboxId", fault);
const publicIs = (fault: ApiFault) => wrongly("isSandboxPublic", fault);

/** Begins, and breaks off. */
const cut = saying('{"id":', { headers: { "content-length": "100" } });

/** Answers in pieces that a test lets go on. */
interface Held {
  /** Nothing comes. */
  readonly head: ApiFault;
  /** A head comes, and a part of the body. */
  readonly body: ApiFault;
  /** Ends all that hang: the server learns only then that nobody waits any more. */
  release(): void;
}

function hold(): Held {
  let released = Promise.withResolvers<void>();
  return {
    head: closingAfter(async () => {
      await released.promise;
      return new Response();
    }),
    body: closingAfter(() => {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      writer.write(new TextEncoder().encode('{"id":')).catch(() => {});
      released.promise.then(() => writer.close()).catch(() => {});
      return new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>);
    }),
    release() {
      released.resolve();
      released = Promise.withResolvers<void>();
    },
  };
}

const held = hold();

async function late(...[call, answer]: Parameters<ApiFault>) {
  await delay(200);
  return await closing(call, answer);
}

const URL_IS_NUMBER = '{"id":"r","proxyUrl":5,"apiUrl":"x","apiKey":"k"}';
const URL_IS_NONE = '{"id":"r","proxyUrl":"ftp://x","apiUrl":"x","apiKey":"k"}';
const KEY_HAS_LINES =
  '{"id":"r","proxyUrl":"http://x","apiUrl":"x","apiKey":"a\\r\\nb: c"}';
const PAGE = "<!doctype html><title>Welcome</title>";

const CASES: readonly [name: string, fault: ApiFault, wanted: Reply][] = [
  ["is slow", late, WELL],
  ["hangs", held.head, UNREACHABLE],
  ["hangs in its answer", runnerIs(held.body), UNREACHABLE],
  ["breaks its answer off", runnerIs(cut), UNREACHABLE],
  [
    "is throttled",
    saying("{}", { status: 429, headers: { "retry-after": "7" } }),
    { ...UNREACHABLE, retryAfter: "7" },
  ],
  ["fails", saying("{}", { status: 500 }), UNREACHABLE],
  ["is being deployed", saying(PAGE, { status: 502 }), UNREACHABLE],
  ["refuses the gateway's key", saying("{}", { status: 401 }), UNREACHABLE],
  [
    "has moved",
    saying("", { status: 302, headers: { location: "http://127.0.0.1:9/" } }),
    UNREACHABLE,
  ],
  ["says something that is no JSON", runnerIs(saying('{"id":')), UNREACHABLE],
  ["says nothing", runnerIs(saying("")), UNREACHABLE],
  ["says null", runnerIs(saying("null")), UNREACHABLE],
  ["says a list", runnerIs(saying("[]")), UNREACHABLE],
  ["gives a number for an URL", runnerIs(saying(URL_IS_NUMBER)), UNREACHABLE],
  ["gives an URL of no use", runnerIs(saying(URL_IS_NONE)), UNREACHABLE],
  ["gives a key of two lines", runnerIs(saying(KEY_HAS_LINES)), UNREACHABLE],
  ["answers every question with a page", publicIs(saying(PAGE)), UNREACHABLE],
  ["answers yes as a number", publicIs(saying("1")), UNREACHABLE],
];

const FAULTS: readonly Fault[] = [
  {
    name: "refuses connections",
    inject: ({ api }) => api.stop(),
    wanted: UNREACHABLE,
    heal: ({ api }) => api.restart(),
  },
  ...CASES.map(([name, fault, wanted]) => ({
    name,
    inject({ api }) {
      api.fault = fault;
    },
    wanted,
    isSlow: true,
    heal({ api }) {
      api.fault = closing;
      held.release();
    },
  } satisfies Fault)),
];

Deno.test("an API that", async (t) => {
  using _ = shortPauses();
  await using world = await startWorld();
  world.runner.behaviour = LAST_ANSWER;
  for (const fault of FAULTS) {
    await t.step(
      fault.name,
      () => liveThrough(world, fault, (world) => world.ask(world.newHost())),
    );
  }
});

Deno.test("an API that resets while it is waited for", async () => {
  await using world = await startWorld({ API_CLIENT_TIMEOUT_SEC: "5" });
  world.runner.behaviour = LAST_ANSWER;
  const sockets = await world.sockets();
  const asked = Promise.withResolvers<void>();
  world.api.fault = (call, answer) => {
    asked.resolve();
    return held.head(call, answer);
  };
  const waiting = world.ask(world.newHost());
  await asked.promise;
  await world.api.stop();
  assert.deepEqual(await waiting, UNREACHABLE);
  held.release();
  world.api.fault = closing;
  world.api.restart();
  assert.deepEqual(await world.ask(world.newHost()), WELL);
  await world.backAt(sockets);
});
