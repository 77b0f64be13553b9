import assert from "node:assert/strict";
import type { Config } from "../../../src/config/config.ts";
import {
  createAccessLog,
  type ExchangeRecord,
} from "../../../src/observability/access_log.ts";
import type { LineWriter } from "../../../src/observability/line_writer.ts";
import { startLogging } from "../../../src/observability/log.ts";

const CONFIG = {
  level: "info",
  format: "json",
  clientAddress: false,
  subject: "hash",
  access: 1,
  audit: true,
} as const;

const EXCHANGE: ExchangeRecord = {
  requestId: "0a1b2c3d-1",
  route: "preview",
  method: "GET",
  status: 200,
  end: "complete",
  isFromApp: true,
  reason: undefined,
  sandboxId: "box",
  port: 3000,
  name: undefined,
  clientAddress: "2001:db8::1",
  by: "public",
  subject: undefined,
  cache: "hit",
  error: undefined,
  tunnel: undefined,
  receivedBytes: 0,
  sentBytes: 1024,
  startedAt: 1_000,
  resolvedAt: 1_002,
  answeredAt: 1_010,
  endedAt: 1_025,
};

async function lineOf(
  record: ExchangeRecord,
  config: Config["log"] = CONFIG,
): Promise<string> {
  return await linesOf([record], config);
}

async function linesOf(
  records: readonly ExchangeRecord[],
  config: Config["log"],
): Promise<string> {
  let written = "";
  const lines: LineWriter = {
    dropped: 0,
    write: (line) => void (written += line),
    flush: () => Promise.resolve(),
  };
  const stop = await startLogging(config, lines);
  const log = createAccessLog(config, lines);
  for (const record of records) log(record);
  await stop();
  return written;
}

Deno.test("an exchange is one line of JSON with times relative to its start", async () => {
  const line = await lineOf(EXCHANGE);
  assert.match(line, /^[^\n]+\n$/);
  assert.deepEqual(JSON.parse(line), {
    "@timestamp": "1970-01-01T00:00:01.025Z",
    level: "INFO",
    message: "request",
    logger: "porthole.access",
    requestId: "0a1b2c3d-1",
    route: "preview",
    method: "GET",
    status: 200,
    end: "complete",
    sandboxId: "box",
    port: 3000,
    by: "public",
    cache: "hit",
    receivedBytes: 0,
    sentBytes: 1024,
    resolvedMs: 2,
    firstByteMs: 10,
    totalMs: 25,
  });
});

Deno.test("the client's address is logged only if LOG_CLIENT_ADDRESS is true, in either format", async () => {
  for (const format of ["json", "pretty"] as const) {
    const config = { ...CONFIG, format };
    assert.doesNotMatch(await lineOf(EXCHANGE, config), /2001:db8/);
    const wanted = { ...config, clientAddress: true };
    assert.match(
      await lineOf(EXCHANGE, wanted),
      /"?clientAddress"?[:=]"2001:db8::1"/,
    );
  }
});

Deno.test("the name that was asked for is included, in either format", async () => {
  const record = { ...EXCHANGE, name: "shop.preview.example.com" };
  for (const format of ["json", "pretty"] as const) {
    assert.match(
      await lineOf(record, { ...CONFIG, format }),
      /"?name"?[:=]"shop\.preview\.example\.com"/,
    );
  }
});

Deno.test("the user is included if they are known, whatever their provider calls them", async () => {
  const subject = 'auth0|"alice"\n';
  const told = JSON.parse(await lineOf({ ...EXCHANGE, subject }));
  assert.equal(told.subject, subject);
});

Deno.test("the reason of an end is included, whatever it contains", async () => {
  const reason = 'bad "chunk"\n{';
  const told = JSON.parse(
    await lineOf({ ...EXCHANGE, end: "upstream_failed", reason }),
  );
  assert.deepEqual([told.end, told.reason], ["upstream_failed", reason]);
});

Deno.test("unknown members are left out, and an error and a tunnel are included", async () => {
  const tunnel = {
    by: "client",
    code: 1000,
    messagesSent: 1,
    bytesSent: 2,
    messagesReceived: 3,
    bytesReceived: 4,
  } as const;
  const { sandboxId, port, by, cache, resolvedMs, ...told } = JSON.parse(
    await lineOf({
      ...EXCHANGE,
      method: "M!#$%&'*+-.^_`|~",
      sandboxId: undefined,
      port: undefined,
      by: undefined,
      cache: undefined,
      resolvedAt: undefined,
      error: "bad_target",
      tunnel,
    }),
  );
  for (const unknown of [sandboxId, port, by, cache, resolvedMs]) {
    assert.equal(unknown, undefined);
  }
  assert.equal(told.method, "M!#$%&'*+-.^_`|~");
  assert.equal(told.error, "bad_target");
  assert.deepEqual(told.tunnel, tunnel);
});

Deno.test("whose sandbox it was and which trace are included if they are known, in either format", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const record = { ...EXCHANGE, organizationId: 'org "1"', traceId };
  const told = JSON.parse(await lineOf(record));
  assert.deepEqual([told.organizationId, told.traceId], ['org "1"', traceId]);
  const pretty = await lineOf(record, { ...CONFIG, format: "pretty" });
  assert.match(pretty, / organizationId="org \\"1\\"" .*traceId="0af7/);
});

/** Successes, and failures of all kinds. */
const SUCCESSES: readonly ExchangeRecord[] = [
  EXCHANGE,
  { ...EXCHANGE, status: 101 },
  { ...EXCHANGE, status: 304 },
  // A stream of events ends so, and so does a visit that was broken off.
  { ...EXCHANGE, end: "client_gone" },
  { ...EXCHANGE, end: "client_gone", status: 499 },
];
const FAILURES: readonly ExchangeRecord[] = [
  { ...EXCHANGE, status: 404 },
  { ...EXCHANGE, status: 503 },
  { ...EXCHANGE, end: "upstream_failed" },
  { ...EXCHANGE, end: "client_stalled" },
  { ...EXCHANGE, end: "aborted" },
];

/** The lines about all of these, in either format. */
async function toldOf(access: Config["log"]["access"]): Promise<string[][]> {
  const told: string[][] = [];
  for (const format of ["json", "pretty"] as const) {
    const config = { ...CONFIG, format, access };
    const lines = await linesOf([...SUCCESSES, ...FAILURES], config);
    told.push(lines.trimEnd().split("\n").filter((line) => line !== ""));
  }
  return told;
}

Deno.test("ACCESS_LOG=errors leaves out successes only, and off everything", async () => {
  for (const lines of await toldOf("errors")) {
    assert.equal(lines.length, FAILURES.length);
    const ends = ["complete", "complete"]
      .concat("upstream_failed", "client_stalled", "aborted");
    for (const [index, end] of ends.entries()) {
      assert.match(lines[index] ?? "", new RegExp(`end"?[:=]"${end}"`));
    }
  }
  for (const lines of await toldOf("off")) assert.deepEqual(lines, []);
});

Deno.test("ACCESS_LOG=1/N tells one in N successes, and how many it stands for, and every failure", async () => {
  for (const lines of await toldOf(3)) {
    assert.equal(lines.length, 1 + FAILURES.length);
    const sampled = lines.filter((line) => /oneIn"?[:=]3/.test(line));
    assert.deepEqual(sampled, [lines[0]]);
    assert.match(sampled[0] ?? "", /status"?[:=]304/);
  }
});
