/** Requests while their runner misbehaves, and the gateway's recovery. */
import assert from "node:assert/strict";
import { DEMO } from "../support/gateway.ts";
import { type Behaviour, GOOD } from "./faulty_runner.ts";
import {
  AT_ONCE,
  type Fault,
  get,
  type Reply,
  startWorld,
  surviveFault,
} from "./world.ts";

const UNREACHABLE = {
  status: 502,
  code: "runner_unreachable",
  isComplete: true,
} as const;
const NO_HTTP = {
  status: 502,
  code: "runner_protocol_error",
  isComplete: true,
} as const;
const LATE = {
  status: 504,
  code: "runner_timeout",
  isComplete: true,
} as const;
/** The head has been sent already: all that is left is to break off the body. */
const BROKEN = { status: 200, isComplete: false } as const;

const PART_OF_HEAD = "HTTP/1.1 200 OK\r\nContent-Len";
const PART_OF_BODY = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const PART_OF_CHUNK =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf";
/** Looks like a runner's own error, which the gateway reads before it responds. */
const PART_OF_REFUSAL =
  "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n" +
  'Content-Length: 50\r\n\r\n{"statusCode":404,';
const INTERIM = "HTTP/1.1 103 Early Hints\r\n\r\n";
const MANY_FIELDS = Array.from({ length: 1e5 }, (_, i) => `A${i}: b\r\n`);

/** A runner's bytes, its next act, and the reply that clients get. */
const CASES: readonly [
  name: string,
  says: string,
  then: Behaviour["then"],
  expected: Reply,
][] = [
  ["closes before its head", "", "closes", UNREACHABLE],
  ["closes in its head", PART_OF_HEAD, "closes", UNREACHABLE],
  ["closes in its body", PART_OF_BODY, "closes", BROKEN],
  ["closes in a chunk", PART_OF_CHUNK, "closes", BROKEN],
  ["closes in a refusal", PART_OF_REFUSAL, "closes", UNREACHABLE],
  ["half-closes before its head", "", "half-closes", UNREACHABLE],
  ["half-closes in its head", PART_OF_HEAD, "half-closes", UNREACHABLE],
  ["half-closes in its body", PART_OF_BODY, "half-closes", BROKEN],
  ["resets before its head", "", "resets", UNREACHABLE],
  ["resets in its head", PART_OF_HEAD, "resets", UNREACHABLE],
  ["resets in its body", PART_OF_BODY, "resets", BROKEN],
  ["resets in a refusal", PART_OF_REFUSAL, "resets", UNREACHABLE],
  ["hangs before its head", "", "hangs", LATE],
  ["hangs in its head", PART_OF_HEAD, "hangs", LATE],
  ["hangs after an interim answer", INTERIM, "hangs", LATE],
  ["sends garbage", "\0\xff\r\n\r\n", "goes on", NO_HTTP],
  ["sends garbage without an end", "\0".repeat(1e6), "hangs", NO_HTTP],
  ["speaks TLS", "\x15\x03\x01\0\x02\x02\x46", "closes", UNREACHABLE],
  ["sends 10^5 fields", head(MANY_FIELDS.join("")), "goes on", NO_HTTP],
  [
    "sends a field of 1 MiB",
    head(`A: ${"a".repeat(1 << 20)}\r\n`),
    "goes on",
    NO_HTTP,
  ],
  ["sends interim answers without end", INTERIM.repeat(1e5), "hangs", NO_HTTP],
];

function head(fields: string): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`;
}

const FAULTS: readonly Fault[] = [
  {
    name: "refuses connections",
    inject: ({ runner }) => runner.stop(),
    expected: UNREACHABLE,
    heal: ({ runner }) => runner.restart(),
  },
  ...CASES.map(([name, says, then, expected]) => ({
    name,
    inject({ runner }) {
      runner.behaviour = { says, then };
    },
    expected,
    isSlow: expected === LATE,
    heal({ runner }) {
      runner.behaviour = GOOD;
    },
  } satisfies Fault)),
];

Deno.test("a runner that", async (t) => {
  await using world = await startWorld();
  for (const fault of FAULTS) {
    await t.step(
      fault.name,
      () => surviveFault(world, fault, (world) => world.ask()),
    );
  }
});

Deno.test("a runner that hangs in a body is let go when the client leaves", async (t) => {
  await using world = await startWorld();
  const sockets = await world.sockets();
  const cases = [
    ["a body", PART_OF_BODY, 200],
    ["a chunk", PART_OF_CHUNK, 200],
    ["what may be a refusal", PART_OF_REFUSAL, 404],
  ] as const;
  for (const [name, says, status] of cases) {
    await t.step(name, async () => {
      world.runner.behaviour = { says, then: "hangs" };
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        using client = await world.gateway.open(get(DEMO));
        const head = await client.readUntil("\r\n\r\n");
        assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
        // Everything sent so far has arrived.
        await client.readUntil(says.endsWith("half") ? "half" : "404,");
      }));
      await world.untilAtRest(sockets);
      world.runner.behaviour = GOOD;
      assert.equal((await world.ask()).status, 200);
    });
  }
});
