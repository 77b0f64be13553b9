/** What passes through an open tunnel, and what ends it with which code (RFC 6455 sections 5 to 8). */
import assert from "node:assert/strict";
import { startTarget } from "./target.ts";
import {
  clientFrame,
  closing,
  type Frame,
  frame,
  OPCODE,
  openTunnel,
  readClose,
  readFrame,
} from "./ws.ts";

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** What arrives as one message: its opcode and payload. */
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
      assert.deepEqual(await readFrame(tunnel.app), {
        ...{ opcode, payload, final: true, reserved: 0, masked: true },
      });
    });
  }
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

Deno.test("each side's Ping is answered by the gateway with the same payload (RFC 6455 section 5.5.3)", async (t) => {
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
  closing(1000),
  closing(1000, "done"),
  closing(1001, "going"),
  closing(1003),
  closing(1008),
  closing(1011, "broken"),
  closing(1012),
  closing(3000, "gr\xc3\xbc\xc3\x9fe"),
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
      const answer = await readFrame(tunnel.client);
      assert.equal(answer.opcode, close);
      assert.equal(answer.payload.slice(0, 2), payload.slice(0, 2));
      assert.equal(await tunnel.client.readToEnd(), "");
    });
  }
});

/** Octets that break RFC 6455, and the code that whoever sent them gets. */
const VIOLATIONS: Record<string, [frames: Frame[], code: number]> = {
  "RSV1 without an extension": [
    [{ opcode: text, payload: "x", reserved: 4 }],
    1002,
  ],
  "RSV3": [[{ opcode: text, payload: "x", reserved: 1 }], 1002],
  "opcode 3": [[{ opcode: 3, payload: "x" }], 1002],
  "opcode 11": [[{ opcode: 11, payload: "" }], 1002],
  "a Ping in fragments": [
    [{ opcode: ping, payload: "x", final: false }],
    1002,
  ],
  "a Ping of 126 octets": [
    [{ opcode: ping, payload: "x".repeat(126) }],
    1002,
  ],
  "a continuation of nothing": [[{ opcode: continuation, payload: "x" }], 1002],
  "a text inside a fragmented one": [
    [
      { opcode: text, payload: "x", final: false },
      { opcode: text, payload: "y" },
    ],
    1002,
  ],
  "a Close of one octet": [[{ opcode: close, payload: "x" }], 1002],
  "a Close with 1005": [[{ opcode: close, payload: closing(1005) }], 1002],
  "a Close with 1006": [[{ opcode: close, payload: closing(1006) }], 1002],
  "a Close with 999": [[{ opcode: close, payload: closing(999) }], 1002],
  "a Close with 5000": [[{ opcode: close, payload: closing(5000) }], 1002],
  "a text that is no UTF-8": [[{ opcode: text, payload: "\xff" }], 1007],
  "a text that ends in half a character": [
    [{ opcode: text, payload: "\xc3" }],
    1007,
  ],
  "a surrogate in UTF-8": [[{ opcode: text, payload: "\xed\xa0\x80" }], 1007],
  "a Close reason that is no UTF-8": [
    [{ opcode: close, payload: closing(1000, "\xff") }],
    1007,
  ],
};

Deno.test("an app that breaks the protocol is told how, and the client hears of a failure (RFC 6455 sections 7.1.7, 7.4.1)", async (t) => {
  await using target = await startTarget();
  const cases = [
    ...Object.entries(VIOLATIONS).map(([name, [frames, code]]) =>
      [name, frames.map(frame).join(""), code] as const
    ),
    // The mask would be a frame of its own to whoever took it for one that is not masked.
    ["a masked frame", "\x81\x80\x81\x02hi", 1002],
    ["a length in a longer form", "\x82\x7e\0\x01x", 1002],
    ["a length over 2^63", `\x82\x7f\xff${"\0".repeat(7)}`, 1002],
    ["a message over 64 MiB", "\x82\x7f\0\0\0\0\x04\0\0\x01", 1009],
  ] as const;
  for (const [name, sent, code] of cases) {
    await t.step(name, async () => {
      using tunnel = await openTunnel(target);
      await tunnel.app.write(sent);
      assert.equal(await readClose(tunnel.app), code);
      assert.equal(await tunnel.app.readToEnd(), "");
      assert.equal(await readClose(tunnel.client), 1011);
    });
  }
});

Deno.test("a client that breaks the protocol is dropped, and the app's connection with it (RFC 6455 section 7.1.7)", async (t) => {
  await using target = await startTarget();
  for (const [name, [frames]] of Object.entries(VIOLATIONS)) {
    await t.step(name, async () => {
      using tunnel = await openTunnel(target);
      await tunnel.client.write(frames.map(clientFrame).join(""));
      // Deno.serve says why only where it is the code of a Close; it SHOULD always.
      const isCode = name.startsWith("a Close with");
      assert.equal(await readClose(tunnel.client), isCode ? 1002 : undefined);
      assert.equal(await readClose(tunnel.app), undefined);
    });
  }
});

Deno.test("a client's unmasked frame is taken, where Deno.serve MUST fail the connection (RFC 6455 section 5.1)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  await tunnel.client.write(frame({ opcode: text, payload: "bare" }));
  const { masked, payload } = await readFrame(tunnel.app);
  assert.deepEqual([masked, payload], [true, "bare"]);
});

Deno.test("HTTP behind the 101 is no request (RFC 9110 section 7.8)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  await tunnel.client.write("GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n");
  assert.equal(await readClose(tunnel.client), undefined);
  assert.equal(await readClose(tunnel.app), undefined);
  assert.equal(target.runner.seen.length, 1);
});

Deno.test("a side that breaks off without a Close is no clean end to the other (RFC 6455 section 7.1.5)", async (t) => {
  await using target = await startTarget();
  await t.step("the app", async () => {
    using tunnel = await openTunnel(target);
    tunnel.app.close();
    assert.equal(await readClose(tunnel.client), 1011);
  });
  await t.step("the app, in the middle of a frame", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.app.write("\x81\x05he");
    tunnel.app.close();
    assert.equal(await readClose(tunnel.client), 1011);
  });
  await t.step("the client", async () => {
    using tunnel = await openTunnel(target);
    tunnel.client.close();
    assert.equal(await readClose(tunnel.app), undefined);
  });
});
