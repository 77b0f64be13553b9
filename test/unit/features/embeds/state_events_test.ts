import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { ErrorCode } from "../../../../src/errors.ts";
import {
  stateEvents,
  type ToldState,
} from "../../../../src/features/embeds/state_events.ts";
import { frameState } from "../../../../src/pages/frame_state.ts";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

function told(code: ErrorCode | null): ToldState {
  return { state: frameState(code), code, port: 3000, ready: code === null };
}

/** Events about a preview, whose state a test sets. */
function setUp(code: ErrorCode | null) {
  const clock = fakeClock();
  clock.pass(15_000 - Date.now() % 15_000); // to the beginning of a beat
  const drain = new AbortController();
  const preview = { state: told(code), looks: 0 };
  const events = stateEvents({
    look() {
      preview.looks++;
      return Promise.resolve(preview.state);
    },
    now: Date.now,
    draining: drain.signal,
  });
  const read = async () => {
    const bytes = await events.read();
    return bytes === null ? null : new TextDecoder().decode(bytes);
  };
  /** What is read while so much time passes, in steps of half a second; undefined if nothing is. */
  async function readIn(ms: number): Promise<string | null | undefined> {
    let text: string | null | undefined;
    const reading = read().then((it) => text = it);
    for (let passed = 0; passed < ms && text === undefined; passed += 500) {
      clock.pass(500);
      await turn();
    }
    if (text === undefined) {
      events.cancel();
      await reading;
      return undefined;
    }
    return text;
  }
  return {
    [Symbol.dispose]: () => clock[Symbol.dispose](),
    clock,
    drain,
    preview,
    events,
    read,
    readIn,
  };
}

function eventOf(code: ErrorCode | null): string {
  return `data: ${JSON.stringify(told(code))}\n\n`;
}

Deno.test("the state is told at once, and each change of what passes by itself within a second", async () => {
  using set = setUp("port_closed");
  assert.equal(await set.read(), eventOf("port_closed"));
  set.preview.state = told(null);
  assert.equal(await set.readIn(1000), eventOf(null));
});

Deno.test("what is ready is looked at every 15 s, and there is a sign of life as often", async () => {
  using set = setUp(null);
  assert.equal(await set.read(), eventOf(null));
  assert.equal(await set.readIn(15_000), ":\n\n");
  assert.equal(await set.readIn(15_000), ":\n\n");
  assert.equal(set.preview.looks, 3);
});

Deno.test("what waits for long gives a sign of life every 15 s, and is told once", async () => {
  using set = setUp("port_closed");
  await set.read();
  assert.equal(await set.readIn(14_500), undefined);
  using other = setUp("sandbox_stopped");
  await other.read();
  assert.equal(await other.readIn(15_000), ":\n\n");
  assert(other.preview.looks <= 4);
});

Deno.test("the end is told, and is that of the events", async () => {
  using set = setUp(null);
  await set.read();
  set.preview.state = told("grant_invalid");
  assert.equal(await set.readIn(15_000), eventOf("grant_invalid"));
  assert.equal(await set.read(), null);
});

Deno.test("the events end when whoever listens leaves, and when the gateway begins to stop", async () => {
  using set = setUp(null);
  await set.read();
  const pending = set.read();
  set.events.cancel();
  assert.equal(await pending, null);
  using other = setUp(null);
  other.drain.abort();
  assert.equal(await other.read(), eventOf(null), "it is told all the same");
  assert.equal(await other.read(), null);
});

Deno.test("all who listen are told by looks at the same time", async () => {
  using set = setUp(null);
  const at: number[] = [];
  function listener(): BodyReader {
    return stateEvents({
      look() {
        at.push(Date.now());
        return Promise.resolve(told(null));
      },
      now: Date.now,
      draining: set.drain.signal,
    });
  }
  const one = listener();
  await one.read();
  set.clock.pass(4000);
  const other = listener();
  await other.read();
  const both = Promise.all([one.read(), other.read()]);
  for (let i = 0; i < 30; i++) {
    set.clock.pass(500);
    await turn();
  }
  await both;
  assert.equal(at.length, 4);
  assert.equal(at[2], at[3]);
});
