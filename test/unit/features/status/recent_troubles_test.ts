import assert from "node:assert/strict";
import { RecentTroubles } from "../../../../src/features/status/recent_troubles.ts";
import {
  hearLog,
  loggerFor,
  startLogging,
} from "../../../../src/observability/log.ts";

/** The troubles after `use` has logged. */
async function troublesOf(
  use: (logger: ReturnType<typeof loggerFor>) => void,
) {
  const troubles = new RecentTroubles();
  const lines = { dropped: 0, write() {}, flush: () => Promise.resolve() };
  const stop = await startLogging({ level: "info", format: "json" }, lines);
  let isNew = false; // it first hears what other tests have logged
  const stopHearing = hearLog((record) => {
    if (isNew) troubles.sink(record);
  });
  isNew = true;
  use(loggerFor("test"));
  stopHearing();
  await stop();
  return troubles.list();
}

Deno.test("warnings, errors and failed requests are remembered with their reasons, and nothing else that is logged", async () => {
  const troubles = await troublesOf((logger) => {
    logger.info("listening", { url: "http://127.0.0.1:4000/" });
    logger.info("request refused", { code: "bad_request", reason: "no" });
    logger.warn("not ready: api", { reason: "no answer" });
    logger.warn("durable tier failed", { reason: "set", cause: "timeout" });
    logger.info("request failed", {
      requestId: "r",
      sandboxId: "box",
      port: 3000,
      code: "port_closed",
      reason: "nothing listens",
    });
    logger.error("uncaught exception", { stack: "secret" });
  });
  const told = troubles.map(({ at: _, ...trouble }) => trouble);
  assert.deepEqual(
    told.toSorted((a, b) => a.message.localeCompare(b.message)),
    [
      {
        level: "warning",
        message: "durable tier failed",
        count: 1,
        reason: "set: timeout",
      },
      {
        level: "warning",
        message: "not ready: api",
        count: 1,
        reason: "no answer",
      },
      {
        level: "info",
        message: "request failed",
        count: 1,
        code: "port_closed",
        sandboxId: "box",
        port: 3000,
        requestId: "r",
        reason: "nothing listens",
      },
      { level: "error", message: "uncaught exception", count: 1 },
    ],
  );
});

Deno.test("the same trouble is told once, with its number and its last request", async () => {
  const troubles = await troublesOf((logger) => {
    for (const requestId of ["one", "two", "three"]) {
      logger.warn("request failed", { code: "api_unreachable", requestId });
    }
  });
  assert.deepEqual(
    troubles.map(({ count, requestId }) => [count, requestId]),
    [[3, "three"]],
  );
});

Deno.test("users' own troubles do not crowd out the operator's, and neither grow without end", async () => {
  const troubles = await troublesOf((logger) => {
    logger.warn("not ready: api", { reason: "x".repeat(1000) });
    for (let i = 0; i < 1000; i++) {
      logger.info("request failed", { code: "port_closed", port: i });
    }
  });
  assert.equal(troubles.length, 21);
  const [ofOperator] = troubles.filter(({ level }) => level === "warning");
  assert.equal(ofOperator?.reason?.length, 300);
  const ports = troubles.map(({ port }) => port);
  assert(ports.includes(999) && ports.includes(980) && !ports.includes(979));
});
