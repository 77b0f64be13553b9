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

Deno.test("watchAccepting() fails where a knock is not answered, twice", async () => {
  using server = watched(() => Promise.resolve());
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() fails where a knock waits for ever", async () => {
  using server = watched(() => new Promise(() => {}));
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() is content with a server that accepts", async () => {
  using server = watched((accept) => {
    accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() holds nothing against a server to which it cannot connect itself", async () => {
  using server = watched(() =>
    Promise.reject(new Error("Too many open files"))
  );
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() forgets a knock that was not answered once the server accepts again", async () => {
  let knocks = 0;
  using server = watched((accept) => {
    if (++knocks % 2 === 0) accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() gives up a knock that is still waiting at the next check", async () => {
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
