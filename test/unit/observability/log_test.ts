import assert from "node:assert/strict";
import {
  hearLog,
  loggerFor,
  startLogging,
} from "../../../src/observability/log.ts";

/** Logging to nowhere, at level info. */
function start(): Promise<() => Promise<void>> {
  const lines = { dropped: 0, write() {}, flush: () => Promise.resolve() };
  return startLogging({ level: "info", format: "json" }, lines);
}

/** Hears the log from now on, without what it has said before unless `all`. */
function hear(all = false) {
  const heard: string[] = [];
  const stop = hearLog(({ level, rawMessage }) =>
    void heard.push(`${level} ${rawMessage}`)
  );
  if (!all) heard.length = 0;
  return { heard, stop };
}

Deno.test("who hears the log hears everything that its level lets through, until they stop", async () => {
  const stopLogging = await start();
  const logger = loggerFor("test");
  const [first, second] = [hear(), hear()];
  logger.debug("no");
  logger.info("one");
  first.stop();
  logger.warn("two");
  second.stop();
  logger.error("three");
  await stopLogging();
  assert.deepEqual(first.heard, ["info one"]);
  assert.deepEqual(second.heard, ["info one", "warning two"]);
});

Deno.test("who begins to hear the log first hears its last twenty warnings and errors", async () => {
  const stopLogging = await start();
  const logger = loggerFor("test");
  for (let i = 1; i <= 21; i++) {
    logger.info("listening");
    if (i % 2 === 0) logger.warn(`warned ${i}`);
    else logger.error(`failed ${i}`);
  }
  const { heard, stop } = hear(true);
  assert.equal(heard.length, 20);
  assert.deepEqual(heard.slice(0, 2), ["warning warned 2", "error failed 3"]);
  assert.equal(heard.at(-1), "error failed 21");
  logger.info("later");
  assert.deepEqual(heard.slice(20), ["info later"]);
  stop();
  await stopLogging();
});
