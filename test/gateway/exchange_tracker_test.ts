import assert from "node:assert/strict";
import { GatewayError } from "../../src/errors.ts";
import { ExchangeTracker } from "../../src/gateway/exchange_tracker.ts";
import { UploadProgress } from "../../src/gateway/upload_progress.ts";
import type { ExchangeRecord } from "../../src/observability/access_log.ts";
import { loggerFor } from "../../src/observability/log.ts";
import { createLeakedSockets } from "../../src/platform/leaked_sockets.ts";
import { createInFlight } from "../../src/proxy/in_flight.ts";
import type { AdmittedRequest } from "../../src/proxy/runner_request.ts";
import type { Tunnel, TunnelEnd } from "../../src/proxy/tunnel.ts";
import {
  type BodyReader,
  bodyReader,
} from "../../src/upstream/http1/body_reader.ts";
import { UpstreamError } from "../../src/upstream/upstream_error.ts";
import { admittedRequest } from "../support/admitted_request.ts";

/** The tracker of an exchange that was admitted to `box`, whose access is rechecked by `recheck`. */
function setUp(
  recheck: () => Promise<boolean> = () => Promise.resolve(true),
  leakedSockets = createLeakedSockets(() => {}),
) {
  const inFlight = createInFlight({ all: 1, perSandbox: 1, tunnels: 1 });
  const entry = inFlight.begin();
  assert(entry !== undefined);
  const clock = { now: 1000 };
  const records: ExchangeRecord[] = [];
  /** What the sandbox's activity was told. */
  const uses: string[] = [];
  const request = new Request("http://3000-box.test/");
  const tracker = new ExchangeTracker({
    id: "id",
    request,
    method: "GET",
    headers: request.headers,
    authority: "3000-box.test",
    target: "/",
    from: {
      clientAddress: "127.0.0.1",
      forwarded: { host: "3000-box.test", proto: "http", for: "127.0.0.1" },
    },
    startedAt: 1000,
  }, {
    route: "preview",
    port: 3000,
    entry,
    cors: { kind: "off" },
    isUse: true,
    sendsTiming: false,
  }, {
    activity: {
      touch: (id) => void uses.push(`touch ${id}`),
      begin(id) {
        uses.push(`begin ${id}`);
        return () => void uses.push(`end ${id}`);
      },
      tick() {},
    },
    onRecord: (record) => records.push(record),
    leakedSockets,
    logger: loggerFor("test"),
    now: () => clock.now,
  });
  tracker.grant({ sandboxId: "box", by: "bearer" }, { recheck });
  return { clock, inFlight, leakedSockets, records, tracker, uses };
}

/** A body of which nothing ever comes. */
function silentBody(): BodyReader {
  return { read: () => new Promise(() => {}), cancel() {} };
}

/** An admitted request with that body. */
function uploadOf(body: BodyReader): AdmittedRequest {
  return admittedRequest({ method: "POST", body });
}

Deno.test("a recheck of access ends what is relayed on a no and on a defect, and not because nobody can say", async () => {
  for (
    const [recheck, ends] of [
      [() => Promise.resolve(false), true],
      [() => Promise.reject(new TypeError("A defect")), true],
      [() => Promise.resolve(true), false],
      [() => Promise.reject(new GatewayError("api_unreachable", "")), false],
    ] as const
  ) {
    const { inFlight, records, tracker } = setUp(recheck);
    const response = tracker.relay({
      status: 200,
      fields: [],
      body: silentBody(),
    });
    await inFlight.recheckAll();
    assert.deepEqual(records.map(({ end }) => end), ends ? ["aborted"] : []);
    assert.equal(inFlight.count, ends ? 0 : 1);
    await response.body?.cancel().catch(() => {});
  }
});

Deno.test("an app's answer is use of its sandbox, unless it turns the client away", () => {
  for (
    const [status, isUse] of [
      [200, true],
      [304, true],
      [399, true],
      [400, false],
      [404, false],
      [499, false],
      [500, true],
    ] as const
  ) {
    const { tracker, uses } = setUp();
    tracker.relay({ status, fields: [], body: null });
    assert.deepEqual(uses, isUse ? ["touch box"] : [], String(status));
  }
});

Deno.test("a stream is use of its sandbox until it ends", async () => {
  const { records, tracker, uses } = setUp();
  const response = tracker.relay({
    status: 200,
    fields: [],
    body: bodyReader(new Blob(["text"]).stream()),
  });
  assert.deepEqual(uses, ["begin box"]);
  for await (const _ of response.body ?? []);
  assert.deepEqual(uses, ["begin box", "end box"]);
  const [record] = records;
  assert.deepEqual([record?.end, record?.sentBytes], ["complete", 4]);
});

Deno.test("no app answers with a status that does not exist", () => {
  const { tracker } = setUp();
  assert.throws(
    () => tracker.relay({ status: 600, fields: [], body: null }),
    { code: "runner_protocol_error" },
  );
});

Deno.test("a client that left is no error of ours, and gets none", () => {
  for (const code of ["aborted", "body_failed"] as const) {
    const { inFlight, records, tracker } = setUp();
    tracker.refuse(new UpstreamError(code, ""));
    const [record] = records;
    assert.deepEqual(
      [record?.status, record?.end, record?.error],
      [499, "client_gone", undefined],
    );
    assert.equal(inFlight.count, 0);
  }
});

Deno.test("an upload that the gateway itself ends is answered with the reason", async () => {
  for (
    const [end, code, status] of [
      ["abortAll", "shutting_down", 503],
      ["recheckAll", "credential_invalid", 401],
    ] as const
  ) {
    const { inFlight, records, tracker } = setUp(() => Promise.resolve(false));
    const request = uploadOf(silentBody());
    const signal = tracker.watchUpload(request).signal();
    await inFlight[end]();
    assert(signal.aborted);
    const response = tracker.refuse(new UpstreamError("aborted", ""));
    assert.equal(response.status, status);
    assert.equal(records[0]?.error, code);
  }
});

Deno.test("a tunnel is over for its sandbox once both sides have closed, and for the gateway once the client is gone", async () => {
  const closed = Promise.withResolvers<TunnelEnd>();
  const released = Promise.withResolvers<void>();
  const closes: unknown[] = [];
  const tunnel: Tunnel = {
    closed: closed.promise,
    released: released.promise,
    close: (...reason) => closes.push(reason),
  };
  const { clock, inFlight, records, tracker, uses } = setUp();
  clock.now = 2000;
  tracker.tunnel(new Response(), tunnel);
  assert.deepEqual(uses, ["begin box"]);
  inFlight.abortAll();
  assert.deepEqual(closes, [[1001, "Gateway is restarting"]]);

  const traffic = {
    bytesSent: 1,
    bytesReceived: 2,
    messagesSent: 3,
    messagesReceived: 4,
  };
  clock.now = 3000;
  closed.resolve({ by: "client", code: 1000, reason: "secret", ...traffic });
  await closed.promise;
  assert.deepEqual(uses, ["begin box", "end box"]);
  const [record] = records;
  assert.deepEqual(
    [record?.status, record?.answeredAt, record?.endedAt],
    [101, 2000, 3000],
  );
  assert.deepEqual(record?.tunnel, { by: "client", code: 1000, ...traffic });
  assert.equal(inFlight.count, 1);
  released.resolve();
  await released.promise;
  assert.equal(inFlight.count, 0);
});

Deno.test("a response that breaks off while its upload is being read has lost a socket", async () => {
  for (const isRead of [false, true]) {
    const { leakedSockets, tracker } = setUp();
    const { body } = tracker.watchUpload(uploadOf(silentBody()));
    if (isRead) body?.read();
    const response = tracker.relay({
      status: 200,
      fields: [],
      body: silentBody(),
    });
    await response.body?.cancel();
    assert.equal(leakedSockets.count, isRead ? 1 : 0);
  }
});

Deno.test("once enough sockets are lost, no response is streamed beside an open upload, and any other one is", () => {
  for (
    const [upload, body, isRefused] of [
      [silentBody(), silentBody(), true],
      [silentBody(), new Uint8Array(1), false],
      [undefined, silentBody(), false],
    ] as const
  ) {
    const leakedSockets = createLeakedSockets(() => {});
    while (leakedSockets.mayRisk("127.0.0.1")) {
      const lost = new UploadProgress(silentBody(), null);
      lost.read();
      leakedSockets.note("127.0.0.1", "client_gone", lost);
    }
    const fresh = setUp(undefined, leakedSockets);
    if (upload !== undefined) fresh.tracker.watchUpload(uploadOf(upload));
    const relay = () => fresh.tracker.relay({ status: 200, fields: [], body });
    if (isRefused) assert.throws(relay, { code: "duplex_unavailable" });
    else assert.equal(relay().status, 200);
  }
});
