import assert from "node:assert/strict";
import { routeOf } from "../../../support/feature_words.ts";
import {
  HOUR_MS,
  UsageCounter,
} from "../../../../src/features/usage/usage_counter.ts";
import type { ExchangeRecord } from "../../../../src/observability/access_log.ts";
import { collectLog } from "../../../support/collected_log.ts";

/** An exchange of 10 bytes to and 100 from the sandbox, which was answered at 1000 and ended then, or later. */
const EXCHANGE: ExchangeRecord = {
  requestId: "id",
  route: "preview",
  method: "GET",
  status: 200,
  end: "complete",
  isFromApp: true,
  reason: undefined,
  sandboxId: "box",
  port: 3000,
  name: undefined,
  clientAddress: "127.0.0.1",
  by: "public",
  subject: undefined,
  cache: "hit",
  error: undefined,
  tunnel: undefined,
  receivedBytes: 10,
  sentBytes: 100,
  startedAt: 900,
  resolvedAt: 900,
  answeredAt: 1000,
  endedAt: 1000,
};

const TUNNEL = {
  by: "client",
  code: 1000,
  messagesSent: 1,
  bytesSent: 5,
  messagesReceived: 2,
  bytesReceived: 7,
} as const;

/** The rows after exchanges with these differences. */
function rowsOf(...differences: readonly Partial<ExchangeRecord>[]) {
  const counter = new UsageCounter(10);
  for (const each of differences) counter.record({ ...EXCHANGE, ...each });
  return [...counter.rows()];
}

Deno.test("exchanges are counted by sandbox and by the hour in which they end, and nobody's are not", () => {
  const rows = rowsOf(
    {},
    { organizationId: "acme", route: "toolbox" },
    { sandboxId: undefined },
    { sandboxId: "other", endedAt: HOUR_MS },
  ).map((
    { sandboxId, organizationId, hour, requests, receivedBytes, sentBytes },
  ) => [sandboxId, organizationId, hour, requests, receivedBytes, sentBytes]);
  assert.deepEqual(rows, [
    ["box", "acme", 0, 2, 20, 200],
    ["other", undefined, HOUR_MS, 1, 10, 100],
  ]);
});

Deno.test("what went to no sandbox is nobody's usage: build logs, pages of ours, and what was refused before", () => {
  for (
    const route of ["build_logs", "inspect", "embed", "preview_state"].map(
      routeOf,
    )
  ) {
    assert.deepEqual(rowsOf({ route }), [], route);
  }
  for (const error of ["preview_blocked", "sandbox_overloaded"]) {
    assert.deepEqual(rowsOf({ error, resolvedAt: undefined }), [], error);
  }
});

Deno.test("a WebSocket counts with its messages and the seconds for which it was open", () => {
  const ends = { tunnel: TUNNEL, receivedBytes: 0, sentBytes: 0 };
  for (const [endedAt, seconds] of [[3500, 2.5], [999, 0]] as const) {
    const [row = assert.fail("no row")] = rowsOf({ ...ends, endedAt });
    const { receivedBytes, sentBytes, webSocketSec } = row;
    assert.deepEqual([receivedBytes, sentBytes, webSocketSec], [5, 7, seconds]);
  }
});

Deno.test("what is stored is forgotten after its time, and what is not stays", () => {
  const counter = new UsageCounter(10);
  counter.record(EXCHANGE);
  counter.record({ ...EXCHANGE, sandboxId: "other" });
  const [first = assert.fail("no row")] = counter.rows();
  first.isNew = false;
  counter.forgetBefore(0);
  assert.equal([...counter.rows()].length, 2);
  counter.forgetBefore(HOUR_MS);
  assert.deepEqual([...counter.rows()].map((row) => row.sandboxId), ["other"]);
});

Deno.test("there are so many rows and no more, and the log says once that others are not counted", async () => {
  await using log = await collectLog();
  const counter = new UsageCounter(1);
  for (const sandboxId of ["box", "other", "third", "box"]) {
    counter.record({ ...EXCHANGE, sandboxId });
  }
  const rows = [...counter.rows()]
    .map(({ sandboxId, requests }) => [sandboxId, requests]);
  assert.deepEqual(rows, [["box", 2]]);
  const loggers = log.records().map(({ logger }) => logger);
  assert.deepEqual(loggers, ["porthole.usage"]);
});
