/** Protocol violations by either side of a tunnel, and how the tunnel ends (RFC 6455 sections 5 and 7). */
import assert from "node:assert/strict";
import { startTarget, test } from "./target.ts";
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

const { continuation, text, close, ping } = OPCODE;

/** Octets that violate RFC 6455, and the close code that their sender receives. */
const VIOLATIONS: Record<string, [frames: Frame[], code: number]> = {
  "RSV1 without an extension": [
    [{ opcode: text, payload: "x", reserved: 4 }],
    1002,
  ],
  "RSV2": [[{ opcode: text, payload: "x", reserved: 2 }], 1002],
  "RSV3": [[{ opcode: text, payload: "x", reserved: 1 }], 1002],
  "RSV1 in a Ping": [[{ opcode: ping, payload: "x", reserved: 4 }], 1002],
  ...Object.fromEntries(
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
      [`opcode ${opcode}`, [[{ opcode, payload: "" }], 1002]] as const
    ),
  ),
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
  ...Object.fromEntries(
    [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((
      code,
    ) =>
      [
        `a Close with ${code}`,
        [[{ opcode: close, payload: closing(code) }], 1002],
      ] as const
    ),
  ),
  "a text that is no UTF-8": [[{ opcode: text, payload: "\xff" }], 1007],
  "a text that ends in half a character": [
    [{ opcode: text, payload: "\xc3" }],
    1007,
  ],
  "a text that is no UTF-8 from its second fragment on": [
    [
      { opcode: text, payload: "x", final: false },
      { opcode: continuation, payload: "\xff" },
    ],
    1007,
  ],
  "a continuation octet in UTF-8": [[{ opcode: text, payload: "\x80" }], 1007],
  "a longer form in UTF-8": [[{ opcode: text, payload: "\xc0\xaf" }], 1007],
  "more than U+10FFFF in UTF-8": [
    [{ opcode: text, payload: "\xf4\x90\x80\x80" }],
    1007,
  ],
  "a surrogate in UTF-8": [[{ opcode: text, payload: "\xed\xa0\x80" }], 1007],
  "a Close reason that is no UTF-8": [
    [{ opcode: close, payload: closing(1000, "\xff") }],
    1007,
  ],
};

/** The payload of a Close that is one octet longer than allowed for a control frame. */
const LONG = closing(1000, "x".repeat(124));

test.choice("an app that breaks the protocol is told how, and the client hears of a failure (RFC 6455 sections 7.1.7, 7.4.1)", async (t) => {
  await using target = await startTarget();
  const cases = [
    ...Object.entries(VIOLATIONS).map(([name, [frames, code]]) =>
      [name, frames.map(frame).join(""), code] as const
    ),
    // If the frame were taken for an unmasked one, its mask would be read as another frame.
    ["a Close of 126 octets", frame({ opcode: close, payload: LONG }), 1002],
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
      // How long a message may be is the gateway's limit, and no rule that the app has broken.
      const told = code === 1009 ? 1009 : 1011;
      assert.equal(await readClose(tunnel.client), told);
    });
  }
});

test.choice("a client that breaks the protocol is dropped, and the app's connection with it (RFC 6455 section 7.1.7)", async (t) => {
  await using target = await startTarget();
  const cases = [
    ...Object.entries(VIOLATIONS).map(([name, [frames]]) =>
      [name, frames.map(clientFrame).join("")] as const
    ),
    ["a length over 2^63", `\x82\xff\xff${"\0".repeat(7)}mask`],
    ["a message over 64 MiB", "\x82\xff\0\0\0\0\x04\0\0\x01maskx"],
  ] as const;
  for (const [name, sent] of cases) {
    await t.step(name, async () => {
      using tunnel = await openTunnel(target);
      await tunnel.client.write(sent);
      // Deno.serve sends a Close only for an invalid close code; it SHOULD always do so.
      const isCode = name.startsWith("a Close with");
      assert.equal(await readClose(tunnel.client), isCode ? 1002 : undefined);
      assert.equal(await readClose(tunnel.app), undefined);
    });
  }
});

test.choice("what Deno.serve takes of a client against the protocol is no more than that one tunnel's end (RFC 6455 sections 5.2, 5.5, 7.4.2)", async (t) => {
  await using target = await startTarget();
  await t.step("a Close of 126 octets", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.client.write(clientFrame({ opcode: close, payload: LONG }));
    assert.equal(await readClose(tunnel.client), 1000);
    assert.equal(await readClose(tunnel.app), undefined);
  });
  await t.step("a Close of 64 KiB", async () => {
    using tunnel = await openTunnel(target);
    const payload = closing(4000, "x".repeat(65_534));
    await tunnel.client.write(clientFrame({ opcode: close, payload }));
    assert.equal(await readClose(tunnel.app), undefined);
  });
  await t.step("a length in a longer form", async () => {
    using tunnel = await openTunnel(target);
    await tunnel.client.write("\x82\xfe\0\x01\0\0\0\0x");
    assert.equal((await readFrame(tunnel.app)).payload, "x");
  });
  // Registered after RFC 6455.
  await t.step("a Close with 1014, which it refuses", async () => {
    using tunnel = await openTunnel(target);
    const payload = closing(1014);
    await tunnel.client.write(clientFrame({ opcode: close, payload }));
    assert.equal(await readClose(tunnel.client), 1002);
    assert.equal(await readClose(tunnel.app), undefined);
  });
  using next = await openTunnel(target);
  assert.equal(next.response.status, 101);
});

test.choice("a client's unmasked frame is taken, where Deno.serve MUST fail the connection (RFC 6455 section 5.1)", async () => {
  await using target = await startTarget();
  using tunnel = await openTunnel(target);
  await tunnel.client.write(frame({ opcode: text, payload: "bare" }));
  const { masked, payload } = await readFrame(tunnel.app);
  assert.deepEqual([masked, payload], [true, "bare"]);
});
