/** WebSockets while their runner misbehaves, and the gateway's recovery. */
import assert from "node:assert/strict";
import {
  clientFrame,
  closing,
  frame,
  HANDSHAKE,
  OPCODE,
  readClose,
} from "../conformance/ws.ts";
import { DEMO } from "../support/gateway.ts";
import type { RawStream } from "../support/raw_client.ts";
import { acceptOf } from "../support/wire_frames.ts";
import type { Behaviour } from "./faulty_runner.ts";
import {
  AT_ONCE,
  type Fault,
  type Reply,
  replyFrom,
  startWorld,
  surviveFault,
  type World,
} from "./world.ts";

const BROKEN = { status: 101, code: "1011", isComplete: true } as const;
const UNREACHABLE = {
  status: 502,
  code: "runner_unreachable",
  isComplete: true,
} as const;
const NO_HTTP = { ...UNREACHABLE, code: "runner_protocol_error" } as const;
const LATE = { ...UNREACHABLE, status: 504, code: "runner_timeout" } as const;

const HELLO = frame({ opcode: OPCODE.text, payload: "hello" });
const CLOSE = frame({ opcode: OPCODE.close, payload: closing(1000) });
const RESERVED = frame({ opcode: OPCODE.text, payload: "?", reserved: 7 });

/** A 101 that matches the key of the request, followed by frames. */
function switched(frames: string, fields = ""): Behaviour["says"] {
  return (head) => {
    const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? "";
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" +
      `Upgrade: websocket\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n` +
      `${fields}\r\n${frames}`;
  };
}

const GOOD: Behaviour = { says: switched(CLOSE), then: "closes" };
const HEALTHY = { status: 101, code: "1000", isComplete: true } as const;
const MANY_FIELDS = "A: b\r\n".repeat(1e5);

const CASES: readonly [
  name: string,
  says: Behaviour["says"],
  then: Behaviour["then"],
  expected: Reply,
][] = [
  ["closes before the 101", "", "closes", UNREACHABLE],
  ["resets before the 101", "", "resets", UNREACHABLE],
  ["closes in the 101", "HTTP/1.1 101 Switch", "closes", UNREACHABLE],
  ["hangs in the 101", "HTTP/1.1 101 Switch", "hangs", LATE],
  ["sends a 101 with 10^5 fields", switched("", MANY_FIELDS), "hangs", NO_HTTP],
  ["closes after the 101", switched(""), "closes", BROKEN],
  ["resets after the 101", switched(""), "resets", BROKEN],
  ["half-closes after the 101", switched(HELLO), "half-closes", BROKEN],
  ["closes in a frame", switched(HELLO.slice(0, 4)), "closes", BROKEN],
  ["resets in a frame", switched(HELLO.slice(0, 4)), "resets", BROKEN],
  ["sends garbage for frames", switched(RESERVED), "hangs", BROKEN],
];

function open({ gateway }: World): Promise<RawStream> {
  return gateway.open(
    ["GET /ws HTTP/1.1", `Host: ${DEMO}`, ...HANDSHAKE, "", ""].join("\r\n"),
  );
}

/** Opens a WebSocket and waits for its end; the reply's code is the status code of the Close. */
async function ask(world: World): Promise<Reply> {
  using client = await open(world);
  const reply = await replyFrom(client);
  if (reply.status !== 101) return reply;
  const code = await readClose(client);
  return code === undefined
    ? { ...reply, isComplete: false }
    : { ...reply, code: String(code) };
}

Deno.test("a WebSocket whose runner", async (t) => {
  await using world = await startWorld();
  world.runner.behaviour = GOOD;
  for (const [name, says, then, expected] of CASES) {
    const fault: Fault = {
      name,
      inject({ runner }) {
        runner.behaviour = { says, then };
      },
      expected,
      isSlow: expected === LATE,
      heal({ runner }) {
        runner.behaviour = GOOD;
      },
    };
    await t.step(name, () => surviveFault(world, fault, ask, HEALTHY));
  }
});

Deno.test("a client can end a WebSocket whose runner has fallen silent", async (t) => {
  await using world = await startWorld();
  const sockets = await world.sockets();
  world.runner.behaviour = { says: switched(HELLO), then: "hangs" };
  const close = clientFrame({
    opcode: OPCODE.close,
    payload: closing(1000),
  });
  const leaving = {
    "with a Close": async (client: RawStream) => {
      await client.write(close);
      assert.equal(await readClose(client), 1000);
    },
    "without a word": async (client: RawStream) => {
      assert.equal(await client.read(HELLO.length), HELLO);
    },
  };
  for (const [name, leave] of Object.entries(leaving)) {
    await t.step(name, async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        using client = await open(world);
        assert.equal((await replyFrom(client)).status, 101);
        await leave(client);
      }));
      // The gateway waits some seconds for a Close in return; whatever is left is closed with the runner.
      await world.runner.stop();
      await world.runner.restart();
      await world.untilAtRest(sockets);
    });
  }
});
