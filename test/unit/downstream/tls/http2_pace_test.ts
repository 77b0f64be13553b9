import assert from "node:assert/strict";
import { Http2Pace } from "../../../../src/downstream/tls/http2_pace.ts";
import {
  END_HEADERS,
  FRAME,
  frame,
  PREFACE,
} from "../../../support/http2_frames.ts";
import { concat, repeat } from "../../../support/wire_frames.ts";

/** The pace of a client that has sent its preface, with the settings in it, and a clock that is set by hand. */
function started(): { pace: Http2Pace; clock: { now: number } } {
  const clock = { now: 1000 };
  const pace = new Http2Pace(() => clock.now);
  pace.waitMsAfter(PREFACE);
  return { pace, clock };
}

function headers(flags: number, payload: Uint8Array): Uint8Array {
  return frame(FRAME.headers, payload, { flags, stream: 1 });
}

Deno.test("20,000 frames a second may come, and 1,000 at once, of whatever length", () => {
  const upload = frame(FRAME.data, new Uint8Array(16_384), { stream: 1 });
  for (const unit of [frame(FRAME.settings), upload]) {
    const { pace, clock } = started();
    assert.equal(pace.waitMsAfter(repeat(unit, 999)), 0);
    assert.equal(pace.waitMsAfter(repeat(unit, 20)), 1);
    clock.now += 51;
    assert.equal(pace.waitMsAfter(repeat(unit, 1000)), 0);
    clock.now += 1_000_000; // what was not used is not saved up
    assert.equal(pace.waitMsAfter(repeat(unit, 1020)), 1);
  }
});

Deno.test("eight header fields count as a frame, wherever they are", () => {
  // An indexed field, a literal with an indexed name, and one without, whose name looks like fields.
  const fields = new Uint8Array([
    ...[0x82, 0x41, 3, 0x80, 0x80, 0x80],
    ...[0x00, 2, 0x81, 0x82, 1, 0x83],
  ]);
  const block = repeat(fields, 320); // 960 fields
  const padding = new Uint8Array(200).fill(0x82);
  const priority = new Uint8Array(5).fill(0x82);
  const rows: [name: string, sent: Uint8Array, frames: number][] = [
    ["alone", headers(END_HEADERS, block), 1],
    [
      "after a priority",
      headers(END_HEADERS | 0x20, concat(priority, block)),
      1,
    ],
    [
      "before padding",
      headers(
        END_HEADERS | 0x28,
        concat(new Uint8Array([200]), priority, block, padding),
      ),
      1,
    ],
    [
      "continued",
      concat(
        headers(0, block.subarray(0, 100)),
        frame(FRAME.continuation, block.subarray(100, 1003), { stream: 1 }),
        frame(FRAME.continuation, block.subarray(1003), { stream: 1 }),
      ),
      3,
    ],
  ];
  for (const [name, sent, frames] of rows) {
    for (const size of [1, 3, sent.length]) {
      const { pace } = started();
      pace.waitMsAfter(repeat(frame(FRAME.settings), 999));
      let waitMs = 0;
      for (let at = 0; at < sent.length; at += size) {
        waitMs = pace.waitMsAfter(sent.subarray(at, at + size));
      }
      assert.equal(waitMs.toFixed(6), ((frames + 120) / 20).toFixed(6), name);
    }
  }
});

Deno.test("frames are counted wherever the bytes are split", () => {
  const bytes = repeat(
    concat(
      frame(FRAME.settings),
      frame(FRAME.data, new Uint8Array(300), { stream: 1 }),
      frame(FRAME.ping, new Uint8Array(8)),
    ),
    400,
  );
  for (const size of [1, 2, 7, 100, 1000]) {
    const { pace } = started();
    let waitMs = 0;
    for (let at = 0; at < bytes.length; at += size) {
      waitMs = pace.waitMsAfter(bytes.subarray(at, at + size));
    }
    // 1201 frames, of which 1000 are free.
    assert.equal(waitMs.toFixed(6), "10.050000");
  }
});
