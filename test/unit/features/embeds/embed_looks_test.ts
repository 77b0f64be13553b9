import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { EmbedExchange } from "../../../../src/features/embeds/embed_exchange.ts";
import { handleEmbedState } from "../../../../src/features/embeds/embed_state.ts";
import { CountById } from "../../../../src/proxy/counts.ts";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import { incomingRequest } from "../../../support/exchange.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/** The events about a port of `box`, and when they have looked, ms. */
async function listen(port: number) {
  const looksAt: number[] = [];
  const bodies: BodyReader[] = [];
  const x = {
    received: incomingRequest({}, {
      authorization: "Bearer token",
      accept: "text/event-stream",
    }),
    route: { host: { label: "box", port } },
    progress: { onLookups() {} },
    onEnd() {},
    grant() {},
    relay({ body }: { readonly body: BodyReader }) {
      bodies.push(body);
      return new Response();
    },
  };
  const parts = {
    codes: {
      openState: () =>
        Promise.resolve({ id: "id", sandboxId: "box", port, ancestors: [] }),
    },
    records: { get: () => Promise.resolve({}) },
    looks: {
      at() {
        looksAt.push(Date.now());
        return Promise.resolve({ code: null });
      },
    },
    listeners: new CountById(1),
    now: Date.now,
    draining: new AbortController().signal,
  };
  await handleEmbedState(
    x as unknown as EmbedExchange,
    parts as unknown as Parameters<typeof handleEmbedState>[1],
  );
  const [body = assert.fail("no events")] = bodies;
  return { looksAt, body };
}

Deno.test("all who listen to one preview look at one time, and those of many at many", async () => {
  using clock = fakeClock();
  const ports = [3000, 3000, ...Array.from({ length: 20 }, (_, i) => 4000 + i)];
  const all = await Promise.all(ports.map(listen));
  await Promise.all(all.map(({ body }) => body.read()));
  const again = Promise.all(all.map(({ body }) => body.read()));
  for (let i = 0; i < 150; i++) {
    clock.pass(100);
    await turn();
  }
  await again;
  const second = all.map(({ looksAt }) => looksAt[1]);
  assert.equal(second[0], second[1]);
  assert(new Set(second).size > 15, String(second));
});
