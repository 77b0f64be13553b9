import assert from "node:assert/strict";
import { watchAccepting } from "../../src/platform/accept_watchdog.ts";

/** Longer than any of these tests, ms. */
const LONG_MS = 60_000;

/** A fake server, checked every 2 ms. */
function watched(probe: (accept: () => void) => Promise<void>) {
  let accept = () => {};
  let probes = 0;
  const enough = Promise.withResolvers<void>();
  const watch = watchAccepting({
    onAccept(callback) {
      accept = callback;
    },
    probe() {
      if (++probes === 5) enough.resolve();
      return probe(accept);
    },
    checkIntervalMs: 2,
  });
  // The watch does not keep the process alive.
  const alive = setInterval(() => {}, LONG_MS);
  return {
    failed: watch.failed,
    enough: enough.promise,
    [Symbol.dispose]() {
      clearInterval(alive);
      watch.stop();
    },
  };
}

Deno.test("watchAccepting() fails after two probes that the server did not accept", async () => {
  using server = watched(() => Promise.resolve());
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() fails after two probes that never connect", async () => {
  using server = watched(() => new Promise(() => {}));
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() does not fail while the server accepts its probes", async () => {
  using server = watched((accept) => {
    accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() does not count a probe that could not be sent", async () => {
  using server = watched(() =>
    Promise.reject(new Error("Too many open files"))
  );
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() starts counting again once the server accepts a connection", async () => {
  let knocks = 0;
  using server = watched((accept) => {
    if (++knocks % 2 === 0) accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() aborts a probe that is still connecting at the next check", async () => {
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => {}, LONG_MS);
  const watch = watchAccepting({
    onAccept() {},
    probe(signal) {
      signal.addEventListener("abort", () => resolve());
      return new Promise(() => {});
    },
    checkIntervalMs: 2,
  });
  await Promise.race([givenUp, watch.failed]);
  watch.stop();
  clearInterval(alive);
});
