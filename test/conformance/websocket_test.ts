/** Messages through an open tunnel, and the codes that close it (RFC 6455 sections 5 to 8). */
import assert from "node:assert/strict";
import { readResponse } from "../support/raw_client.ts";
import { startTarget, type Target, test } from "./target.ts";
import {
  beginHandshake,
  clientFrame,
  closing,
  type Frame,
  frame,
  OPCODE,
  openTunnel,
  readClose,
  readFrame,
  readMessage,
  switching,
} from "./ws.ts";

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** A message as received: its opcode and payload. */
type Message = readonly [opcode: number, payload: string];

const MESSAGES: Record<string, [frames: Frame[], arrives: Message]> = {
  "a text": [[{ opcode: text, payload: "hi" }], [text, "hi"]],
  "binary": [[{ opcode: binary, payload: "\0\xff\x80" }], [
    binary,
    "\0\xff\x80",
  ]],
  "an empty text": [[{ opcode: text, payload: "" }], [text, ""]],
  "empty binary": [[{ opcode: binary, payload: "" }], [binary, ""]],
  "UTF-8 with a byte order mark": [
    [{ opcode: text, payload: "\xef\xbb\xbf\xc3\xa9" }],
    [text, "\xef\xbb\xbf\xc3\xa9"],
  ],
  "U+FFFF and U+10FFFF in UTF-8": [
    [{ opcode: text, payload: "\xef\xbf\xbf\xf4\x8f\xbf\xbf" }],
    [text, "\xef\xbf\xbf\xf4\x8f\xbf\xbf"],
  ],
  "126 octets": [[{ opcode: binary, payload: "x".repeat(126) }], [
    binary,
    "x".repeat(126),
  ]],
  "65536 octets": [[{ opcode: binary, payload: "x".repeat(65536) }], [
    binary,
    "x".repeat(65536),
  ]],
  "fragments": [
    [
      { opcode: text, payload: "a", final: false },
      { opcode: continuation, payload: "b", final: false },
      { opcode: continuation, payload: "c" },
    ],
    [text, "abc"],
  ],
  "fragments that cut a character": [
    [
      { opcode: text, payload: "\xc3", final: false },
      { opcode: continuation, payload: "\xa9" },
    ],
    [text, "\xc3\xa9"],
  ],
  "empty fragments": [
    [
      { opcode: binary, payload: "", final: false },
      { opcode: continuation, payload: "", final: false },
      { opcode: continuation, payload: "" },
    ],
    [binary, ""],
  ],
  "control frames between fragments": [
    [
      { opcode: text, payload: "a", final: false },
      { opcode: pong, payload: "unasked" },
      { opcode: continuation, payload: "b" },
    ],
    [text, "ab"],
  ],
};

Deno.test("messages pass from the app, fragments as one message (RFC 6455 sections 5.4, 5.6)", async (t) => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  for (const [name, [frames, [opcode, payload]]] of Object.entries(MESSAGES)) {
    await t.step(name, async () => {
      await tunnel.app.write(frames.map(frame).join(""));
      if (!target.isPorthole) {
        const message = await readMessage(tunnel.client);
        assert.deepEqual(message, [opcode, payload]);
        return;
      }
      assert.deepEqual(await readFrame(tunnel.client), {
        ...{ opcode, payload, final: true, reserved: 0, masked: false },
      });
    });
  }
});

Deno.test("messages pass from the client, fragments as one message, masked (RFC 6455 sections 5.3, 5.4, 5.6)", async (t) => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  for (const [name, [frames, [opcode, payload]]] of Object.entries(MESSAGES)) {
    await t.step(name, async () => {
      await tunnel.client.write(frames.map(clientFrame).join(""));
      if (!target.isPorthole) {
        const message = await readMessage(tunnel.app);
        assert.deepEqual(message, [opcode, payload]);
        return;
      }
      assert.deepEqual(await readFrame(tunnel.app), {
        ...{ opcode, payload, final: true, reserved: 0, masked: true },
      });
    });
  }
});

test.choice("every frame to the app has a mask of its own (RFC 6455 section 5.3)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  const masks = new Set<string>();
  for (let i = 0; i < 8; i++) {
    await tunnel.client.write(clientFrame({ opcode: text, payload: "" }));
    const [head, key] = [await tunnel.app.read(2), await tunnel.app.read(4)];
    assert.equal(head, "\x81\x80");
    masks.add(key);
  }
  assert.equal(masks.size, 8);
});

Deno.test("what a client sends before its 101 arrives as frames, never as a request (RFC 6455 section 4.1)", async () => {
  await using target = await startTarget();
  using opening = await beginHandshake(target);
  const { client, app: { stream }, accept } = opening;
  await client.write(clientFrame({ opcode: text, payload: "early" }));
  await stream.write(switching(accept));
  assert.equal((await readResponse(client)).status, 101);
  assert.deepEqual(await readMessage(stream), [text, "early"]);
  assert.equal(target.runner.seen.length, 1);
});

Deno.test("what the app sends in one write with its 101 is not lost (RFC 6455 section 4.1)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(
    target,
    frame({ opcode: text, payload: "early" }) +
      frame({ opcode: binary, payload: "bird" }),
  );
  assert.equal((await readFrame(tunnel.client)).payload, "early");
  assert.equal((await readFrame(tunnel.client)).payload, "bird");
});

test.choice("each side's Ping is answered by the gateway with the same payload (RFC 6455 section 5.5.3)", async (t) => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  for (const payload of ["", "are you there?", "x".repeat(125)]) {
    await t.step(`the app's, ${payload.length} octets`, async () => {
      await tunnel.app.write(frame({ opcode: ping, payload }));
      assert.deepEqual(await readFrame(tunnel.app), {
        ...{ opcode: pong, payload, final: true, reserved: 0, masked: true },
      });
    });
    await t.step(`the client's, ${payload.length} octets`, async () => {
      await tunnel.client.write(clientFrame({ opcode: ping, payload }));
      assert.deepEqual(await readFrame(tunnel.client), {
        ...{ opcode: pong, payload, final: true, reserved: 0, masked: false },
      });
    });
  }
  await t.step("between an app's fragments", async () => {
    const { app, client } = tunnel;
    await app.write(
      frame({ opcode: text, payload: "a", final: false }) +
        frame({ opcode: ping, payload: "p" }) +
        frame({ opcode: continuation, payload: "b" }),
    );
    const answer = await readFrame(app);
    assert.deepEqual([answer.opcode, answer.payload], [pong, "p"]);
    assert.equal((await readFrame(client)).payload, "ab");
  });
  await t.step("between a client's fragments", async () => {
    const { app, client } = tunnel;
    await client.write(
      clientFrame({ opcode: text, payload: "a", final: false }) +
        clientFrame({ opcode: ping, payload: "p" }) +
        clientFrame({ opcode: continuation, payload: "b" }),
    );
    const answer = await readFrame(client);
    assert.deepEqual([answer.opcode, answer.payload], [pong, "p"]);
    assert.equal((await readFrame(app)).payload, "ab");
  });
});

const CODES: readonly string[] = [
  "",
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000]
    .map((code) => closing(code)),
  closing(1000, "done"),
  closing(3999, "gr\xc3\xbc\xc3\x9fe"),
  closing(4999, "x".repeat(123)),
];

Deno.test("a Close passes with its code and reason, and is answered (RFC 6455 sections 5.5.1, 7.1)", async (t) => {
  await using target = await startTarget();
  for (const payload of CODES) {
    const name = JSON.stringify(payload.slice(0, 12));
    await t.step(`from the app: ${name}`, async () => {
      using tunnel = await openTunnel(target);
      await tunnel.app.write(frame({ opcode: close, payload }));
      const passed = await readFrame(tunnel.client);
      assert.deepEqual([passed.opcode, passed.payload], [close, payload]);
      // A gateway that does not parse frames leaves the response to the other end.
      if (!target.isPorthole) return;
      const answer = await readFrame(tunnel.app);
      assert.equal(answer.opcode, close);
      assert.equal(answer.payload, payload.slice(0, 2));
      assert.equal(await tunnel.app.readToEnd(), "");
    });
    await t.step(`from the client: ${name}`, async () => {
      using tunnel = await openTunnel(target);
      await tunnel.client.write(clientFrame({ opcode: close, payload }));
      const passed = await readFrame(tunnel.app);
      assert.deepEqual([passed.opcode, passed.payload], [close, payload]);
      // A gateway that does not parse frames leaves the response to the other end.
      if (!target.isPorthole) return;
      const answer = await readFrame(tunnel.client);
      assert.equal(answer.opcode, close);
      assert.equal(answer.payload.slice(0, 2), payload.slice(0, 2));
      assert.equal(await tunnel.client.readToEnd(), "");
    });
  }
});

Deno.test("HTTP behind the 101 is no request (RFC 9110 section 7.8)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  await tunnel.client.write("GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n");
  if (target.isPorthole) {
    assert.equal(await readClose(tunnel.client), undefined);
    assert.equal(await readClose(tunnel.app), undefined);
  } else {
    tunnel.client.close();
    await tunnel.app.readToEnd();
  }
  assert.equal(target.runner.seen.length, 1);
});

Deno.test("a side that breaks off without a Close is no clean end to the other (RFC 6455 section 7.1.5)", async (t) => {
  await using target = await startTarget();
  await t.step("the app", async () => {
    using tunnel = await openTunnel(target);
    tunnel.app.close();
    assertBroken(target, await readClose(tunnel.client));
  });
  await t.step("the app, in the middle of a frame", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.app.write("\x81\x05he");
    tunnel.app.close();
    assertBroken(target, await readClose(tunnel.client));
  });
  await t.step("the client", async () => {
    using tunnel = await openTunnel(target);
    tunnel.client.close();
    assert.equal(await readClose(tunnel.app), undefined);
  });
});

test.choice("what comes behind a Close is not passed on (RFC 6455 section 5.5.1)", async (t) => {
  await using target = await startTarget();
  const frames: Frame[] = [
    { opcode: close, payload: closing(1000) },
    { opcode: text, payload: "late" },
  ];
  await t.step("from the app", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.app.write(frames.map(frame).join(""));
    assert.equal((await readFrame(tunnel.client)).opcode, close);
    await tunnel.client.write(clientFrame({ opcode: close, payload: "" }));
    assert.equal(await tunnel.client.readToEnd(), "");
  });
  await t.step("from the client", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.client.write(frames.map(clientFrame).join(""));
    assert.equal((await readFrame(tunnel.app)).opcode, close);
    await tunnel.app.write(frame({ opcode: close, payload: closing(1000) }));
    assert.equal(await tunnel.app.readToEnd(), "");
  });
});

test.choice("a Close between the fragments of a message ends both (RFC 6455 section 5.4)", async (t) => {
  await using target = await startTarget();
  const frames: Frame[] = [
    { opcode: text, payload: "x", final: false },
    { opcode: close, payload: closing(1000) },
  ];
  await t.step("from the app", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.app.write(frames.map(frame).join(""));
    assert.equal((await readFrame(tunnel.client)).opcode, close);
  });
  await t.step("from the client", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.client.write(frames.map(clientFrame).join(""));
    assert.equal((await readFrame(tunnel.app)).opcode, close);
  });
});

/** Asserts that a client learns of a failure: Porthole sends a code, others at least do not send a normal Close. */
function assertBroken({ isPorthole }: Target, code: number | undefined): void {
  if (isPorthole) assert.equal(code, 1011);
  else assert(code === undefined || ![1000, 1001, 1005].includes(code));
}
