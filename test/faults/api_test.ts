/** Requests while the API misbehaves, and the gateway's recovery. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiFault } from "../../scripts/stand_in/api.ts";
import type { OperationId } from "../../scripts/stand_in/api_contract.ts";
import { GOOD_AND_CLOSE } from "./faulty_runner.ts";
import {
  closing,
  type Fault,
  HEALTHY,
  type Reply,
  shortPauses,
  startWorld,
  surviveFault,
} from "./world.ts";

const UNREACHABLE = {
  status: 503,
  code: "api_unreachable",
  retryAfter: "2",
  isComplete: true,
} as const;

/** Applies a fault to one operation only. */
function onlyFor(operation: OperationId, fault: ApiFault): ApiFault {
  return (call, answer) =>
    (call.operation === operation ? fault : closing)(call, answer);
}

/** Makes the API respond with this instead. */
function respond(body: BodyInit, init: ResponseInit = {}): ApiFault {
  const headers = { "content-type": "application/json", ...init.headers };
  return respondAndClose(() => new Response(body, { ...init, headers }));
}

function respondAndClose(answer: () => Response | Promise<Response>): ApiFault {
  return (call) => closing(call, async () => await answer());
}

const onRunner = (fault: ApiFault) => onlyFor("getRunnerBySandboxId", fault);
const onPublic = (fault: ApiFault) => onlyFor("isSandboxPublic", fault);
const onRecord = (fault: ApiFault) => onlyFor("getSandbox", fault);

/** A response that breaks off. */
const truncated = respond('{"id":', { headers: { "content-length": "100" } });

/** Faults by which the API hangs until a test releases it. */
interface Held {
  /** Sends nothing. */
  readonly head: ApiFault;
  /** Sends the head and a part of the body. */
  readonly body: ApiFault;
  /** Ends all responses that hang; only then does the server notice that its clients have left. */
  release(): void;
}

function hold(): Held {
  let released = Promise.withResolvers<void>();
  return {
    head: respondAndClose(async () => {
      await released.promise;
      return new Response();
    }),
    body: respondAndClose(() => {
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

const CASES: readonly [name: string, fault: ApiFault, expected: Reply][] = [
  ["is slow", late, HEALTHY],
  ["hangs", held.head, UNREACHABLE],
  ["hangs in its answer", onRunner(held.body), UNREACHABLE],
  ["breaks its answer off", onRunner(truncated), UNREACHABLE],
  [
    "is throttled",
    respond("{}", { status: 429, headers: { "retry-after": "7" } }),
    { ...UNREACHABLE, code: "api_throttled", retryAfter: "7" },
  ],
  ["fails", respond("{}", { status: 500 }), UNREACHABLE],
  ["is being deployed", respond(PAGE, { status: 502 }), UNREACHABLE],
  ["refuses the gateway's key", respond("{}", { status: 401 }), UNREACHABLE],
  [
    "has moved",
    respond("", { status: 302, headers: { location: "http://127.0.0.1:9/" } }),
    UNREACHABLE,
  ],
  ["says something that is no JSON", onRunner(respond('{"id":')), UNREACHABLE],
  ["says nothing", onRunner(respond("")), UNREACHABLE],
  ["says null", onRunner(respond("null")), UNREACHABLE],
  ["says a list", onRunner(respond("[]")), UNREACHABLE],
  ["gives a number for an URL", onRunner(respond(URL_IS_NUMBER)), UNREACHABLE],
  ["gives an URL of no use", onRunner(respond(URL_IS_NONE)), UNREACHABLE],
  ["gives a key of two lines", onRunner(respond(KEY_HAS_LINES)), UNREACHABLE],
  ["answers every question with a page", onPublic(respond(PAGE)), UNREACHABLE],
  ["answers yes as a number", onPublic(respond("1")), UNREACHABLE],
  [
    "says as a number that it is public",
    onRecord(respond('{"public":1}')),
    UNREACHABLE,
  ],
];

const FAULTS: readonly Fault[] = [
  {
    name: "refuses connections",
    inject: ({ api }) => api.stop(),
    expected: UNREACHABLE,
    heal: ({ api }) => api.restart(),
  },
  ...CASES.map(([name, fault, expected]) => ({
    name,
    inject({ api }) {
      api.fault = fault;
    },
    expected,
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
  world.runner.behaviour = GOOD_AND_CLOSE;
  for (const fault of FAULTS) {
    await t.step(
      fault.name,
      () =>
        surviveFault(
          world,
          fault,
          (world) => world.ask(world.newHost({ onNewRunner: true })),
        ),
    );
  }
});

Deno.test("an API that resets while it is waited for", async () => {
  await using world = await startWorld({ API_CLIENT_TIMEOUT_SEC: "5" });
  world.runner.behaviour = GOOD_AND_CLOSE;
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
  assert.deepEqual(await world.ask(world.newHost()), HEALTHY);
  await world.untilAtRest(sockets);
});
