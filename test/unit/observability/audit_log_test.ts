/** What is left of the log where most of it is not wanted: who opened what. */
import assert from "node:assert/strict";
import { AccessEvents } from "../../../src/observability/access_events.ts";
import {
  createAccessLog,
  type ExchangeRecord,
} from "../../../src/observability/access_log.ts";
import { StreamLineWriter } from "../../../src/observability/line_writer.ts";
import {
  AUDIT,
  loggerFor,
  startLogging,
} from "../../../src/observability/log.ts";

const EXCHANGES = 100_000;

/** Lines that are written at once, as many as wait for no reader. */
const TURN = 1_000;

function exchange(serial: number): ExchangeRecord {
  return {
    requestId: `r-${serial}`,
    route: "preview",
    method: "GET",
    status: serial % 100 === 0 ? 502 : 200,
    end: "complete",
    isFromApp: true,
    reason: undefined,
    sandboxId: "box",
    port: 3000,
    name: undefined,
    clientAddress: "192.0.2.1",
    by: "public",
    subject: undefined,
    cache: "hit",
    error: undefined,
    tunnel: undefined,
    receivedBytes: 0,
    sentBytes: 10,
    startedAt: 0,
    resolvedAt: 0,
    answeredAt: 0,
    endedAt: 0,
  };
}

/** What is written about so many exchanges and, after each hundredth, a login; by message. */
async function written(
  config:
    & Pick<
      Parameters<typeof createAccessLog>[0],
      "access"
    >
    & { readonly level: "info" | "warning"; readonly audit: boolean },
): Promise<Map<unknown, Record<string, unknown>[]>> {
  const parts: string[] = [];
  const decoder = new TextDecoder();
  const lines = new StreamLineWriter(
    new WritableStream({
      write: (part) => void parts.push(decoder.decode(part, { stream: true })),
    }),
  );
  const all = { ...config, format: "json", clientAddress: false } as const;
  const stop = await startLogging(all, lines);
  const accessLog = createAccessLog(all, lines);
  const events = new AccessEvents({
    logger: loggerFor(AUDIT),
    metrics: { login() {}, grant() {} },
    subjects: { ofUser: () => undefined },
  });
  for (let serial = 0; serial < EXCHANGES; serial++) {
    accessLog(exchange(serial));
    if (serial % 100 === 0) {
      events.loggedIn({ requestId: `l-${serial}`, sandboxId: "box" });
    }
    if (serial % TURN === 0) await lines.flush();
  }
  await stop();
  assert.equal(lines.dropped, 0);
  const records = parts.join("").trimEnd().split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
  return Map.groupBy(records, ({ message }) => message);
}

Deno.test("of 100,000 requests with ACCESS_LOG=errors, the log has every login, and no success", async () => {
  const told = await written({ access: "errors", level: "info", audit: true });
  assert.equal(told.get("login")?.length, EXCHANGES / 100);
  const requests = told.get("request") ?? [];
  assert.equal(requests.length, EXCHANGES / 100);
  assert(requests.every(({ status }) => status === 502));
});

Deno.test("LOG_LEVEL=warning silences the access log, and not the audit, which AUDIT_LOG=false does", async () => {
  const level = "warning";
  const told = await written({ access: 1, level, audit: true });
  assert.deepEqual([...told.keys()], ["login"]);
  assert.equal(told.get("login")?.length, EXCHANGES / 100);
  const silent = await written({ access: 1, level, audit: false });
  assert.equal(silent.size, 0);
});
