import { StreamError } from "../../../src/stream/stream_error.ts";
import assert from "node:assert/strict";
import { GatewayError } from "../../../src/errors.ts";
import { previewExchange } from "../../../src/gateway/preview_route.ts";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import { LeakedSockets } from "../../../src/downstream/http/leaked_sockets.ts";
import type { Tunnel, TunnelEnd } from "../../../src/proxy/tunnel.ts";
import {
  type BodyReader,
  bodyReader,
} from "../../../src/stream/body_reader.ts";
import type { Watched } from "../../../src/downstream/memory/guard.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { staysPending } from "../platform/canary.ts";
import { collectLog } from "../../support/collected_log.ts";
import {
  exchangeServices,
  fakeUpload,
  incomingRequest,
  PREVIEW_HOST,
} from "../../support/exchange.ts";
import { destinationOn } from "../../support/destination.ts";
import { turn } from "../../support/upstream.ts";

/** An exchange that was admitted to `box`, whose access is rechecked by `recheck`. */
function setUp(
  recheck: () => Promise<boolean> = () => Promise.resolve(true),
  leakedSockets = new LeakedSockets(() => 0, () => {}),
) {
  const { services, ...told } = exchangeServices({
    clientLeg: { leakedSockets },
  });
  const x = previewExchange(incomingRequest(), PREVIEW_HOST, services);
  x.checkLimits();
  x.grant({ sandboxId: "box", by: "bearer" }, recheck);
  return { ...told, leakedSockets, x };
}

/** The same for a request with a body, which never ends unless another is given. */
async function setUpUpload(
  recheck?: () => Promise<boolean>,
  leakedSockets = new LeakedSockets(() => 0, () => {}),
  {
    body = new ReadableStream<Uint8Array<ArrayBuffer>>(),
    isHttp1 = true,
    framing = { "transfer-encoding": "chunked" } as Record<string, string>,
  } = {},
) {
  const { services, ...told } = exchangeServices({
    clientLeg: { leakedSockets },
  });
  const asked = incomingRequest({ method: "POST", body }, framing);
  const incoming = { ...asked, isHttp2: !isHttp1 };
  const x = previewExchange(incoming, PREVIEW_HOST, services);
  x.checkLimits();
  const grant = { sandboxId: "box", by: "bearer" };
  x.grant(grant, recheck ?? (() => Promise.resolve(true)));
  await x.openBody();
  return { ...told, leakedSockets, x };
}

/** A body of which nothing ever comes. */
function silentBody(): BodyReader {
  return { read: () => new Promise(() => {}), cancel() {} };
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
    const { inFlight, records, x } = setUp(recheck);
    const response = await x.relay({
      status: 200,
      headers: [],
      body: silentBody(),
    });
    await inFlight.recheckAll();
    assert.deepEqual(records.map(({ end }) => end), ends ? ["aborted"] : []);
    assert.equal(inFlight.count, ends ? 0 : 1);
    await response.body?.cancel().catch(() => {});
  }
});

Deno.test("an app's answer is use of its sandbox, unless it turns the client away", async () => {
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
    const { x, uses } = setUp();
    await x.relay({ status, headers: [], body: null });
    assert.deepEqual(uses, isUse ? ["touch box"] : [], String(status));
  }
});

Deno.test("a stream is use of its sandbox until it ends", async () => {
  const { records, x, uses } = setUp();
  const response = await x.relay({
    status: 200,
    headers: [],
    body: bodyReader(new Blob(["text"]).stream()),
  });
  assert.deepEqual(uses, ["begin box"]);
  for await (const _ of response.body ?? []);
  assert.deepEqual(uses, ["begin box", "end box"]);
  const [record] = records;
  assert.deepEqual([record?.end, record?.sentBytes], ["complete", 4]);
});

Deno.test("no app answers with a status that does not exist", () => {
  const { x } = setUp();
  assert.throws(
    () => x.relay({ status: 600, headers: [], body: null }),
    { code: "runner_protocol_error" },
  );
});

Deno.test("a client that left is no error of ours, and gets none", async () => {
  for (const code of ["aborted", "source_failed"] as const) {
    const { inFlight, records, x } = setUp();
    await x.refuse(new StreamError(code, ""));
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
    const { inFlight, records, x } = await setUpUpload(() =>
      Promise.resolve(false)
    );
    const signal = x.reply.signal();
    await inFlight[end]();
    assert(signal.aborted);
    const response = await x.refuse(new StreamError("aborted", ""));
    assert.equal(response.status, status);
    assert.equal(records[0]?.error, code);
  }
});

/** Where port 3000 of the sandbox `other` of the organization `acme` is, which may have been asked for by its name. */
const ELSEWHERE = {
  ...destinationOn(
    { proxyUrl: "http://runner:1", apiUrl: "http://runner:2", apiKey: "key" },
    "other",
  ),
  sandboxId: "other",
  organizationId: "acme",
};

Deno.test("a feature forbids by what a name leads to, which the record names, or by what was asked for if that goes nowhere", async () => {
  const asked: unknown[] = [];
  const { services, records } = exchangeServices({
    guard(served) {
      asked.push(served);
      return served.sandboxId === "other"
        ? new GatewayError("port_off", "test")
        : undefined;
    },
  });
  const host = { ...PREVIEW_HOST, name: "shop.test" };
  const x = previewExchange(incomingRequest(), host, services);
  x.checkLimits();
  x.grant({ sandboxId: "box", by: "bearer" }, () => Promise.resolve(true));
  const blocked = { code: "port_off" };
  assert.throws(() => x.onResolved(ELSEWHERE), blocked);
  const name = "shop.test";
  x.checkServed();
  assert.deepEqual(asked, [
    { sandboxId: "other", organizationId: "acme", name },
  ]);
  await x.refuse(new GatewayError("port_off", "test"));
  const [{ sandboxId, organizationId, resolvedAt } = assert.fail()] = records;
  assert.deepEqual([sandboxId, organizationId], ["other", "acme"]);
  assert.equal(resolvedAt, undefined);
  const again = previewExchange(incomingRequest(), host, services);
  again.checkLimits();
  again.grant(
    { sandboxId: "other", by: "bearer" },
    () => Promise.resolve(true),
  );
  assert.throws(() => again.checkServed(), blocked);
  assert.deepEqual(asked[1], {
    sandboxId: "other",
    organizationId: undefined,
    name,
  });
});

Deno.test("what two features note of an answer is in its record, and both are told of the end, once", async () => {
  const { x, records } = setUp();
  const told: string[] = [];
  x.progress.note("first");
  x.onEnd(() => told.push("first"));
  x.progress.note("second");
  x.onEnd(() => told.push("second"));
  assert.deepEqual(told, []);
  await x.answer(new Response());
  await x.refuse(new GatewayError("internal", "after its end"));
  assert.deepEqual(told, ["first", "second"]);
  assert.deepEqual(records.map(({ reason }) => reason), ["first, second"]);
});

Deno.test("an upload that began before it was known where it leads is ended by that", async () => {
  const { inFlight, x } = await setUpUpload();
  const signal = x.reply.signal();
  x.onResolved(ELSEWHERE);
  inFlight.abortWhere(({ sandboxId }) => sandboxId === "box");
  assert.equal(signal.aborted, false);
  inFlight.abortWhere(({ organizationId }) => organizationId === "acme");
  assert.equal(signal.aborted, true);
});

Deno.test("the body of a preflight is not ended by the gateway, which answers where the app does not", async () => {
  const { services, inFlight } = exchangeServices({ corsMode: "auto" });
  const incoming = incomingRequest(
    { method: "OPTIONS", body: new ReadableStream() },
    {
      "origin": "https://elsewhere.test",
      "access-control-request-method": "PUT",
      "transfer-encoding": "chunked",
    },
  );
  const x = previewExchange(incoming, PREVIEW_HOST, services);
  x.checkLimits();
  await x.openBody();
  assert(x.reply.upload !== null);
  inFlight.abortAll();
  assert.equal(x.reply.signal().aborted, false);
  assert.equal(
    (await x.refuse(new GatewayError("port_closed", ""))).status,
    502,
  );
});

Deno.test("an exchange is recorded once, whatever fails after its end", async () => {
  const { inFlight, records, x } = setUp();
  await x.relay({ status: 200, headers: [], body: null });
  await x.refuse(new TypeError("A defect"));
  assert.deepEqual(records.map(({ status }) => status), [200]);
  assert.equal(inFlight.count, 0);
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
  const { clock, inFlight, records, x, uses } = setUp();
  clock.now = 2000;
  x.tunnel({ response: new Response(), tunnel });
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

const NO_TRAFFIC = {
  bytesSent: 0,
  bytesReceived: 0,
  messagesSent: 0,
  messagesReceived: 0,
};

Deno.test("the record of a tunnel says how it ended, and why if nobody closed it as they should", async () => {
  for (
    const [by, code, reason, end] of [
      ["client", 1000, "secret", "complete"],
      ["upstream", 1011, "secret", "complete"],
      ["upstream", 1006, "Reserved bits", "upstream_failed"],
      ["client", 1006, "connection lost", "client_gone"],
      ["gateway", 1001, "Gateway is restarting", "aborted"],
      ["gateway", 1013, "client does not read", "aborted"],
    ] as const
  ) {
    const { records, x } = setUp();
    const closed = Promise.resolve({ by, code, reason, ...NO_TRAFFIC });
    const released = Promise.resolve();
    const tunnel: Tunnel = { closed, released, close() {} };
    x.tunnel({ response: new Response(), tunnel });
    await closed;
    const [record] = records;
    assert.deepEqual(
      [record?.end, record?.reason],
      [end, end === "complete" ? undefined : reason],
    );
  }
});

Deno.test("the record of a response says why it did not arrive completely", async () => {
  const bad = new UpstreamError("protocol_error", "bad chunk");
  const left = new StreamError("source_failed", "upload broke");
  for (
    const [error, ended] of [
      [bad, ["upstream_failed", "bad chunk"]],
      [left, ["client_gone", undefined]],
    ] as const
  ) {
    const { records, x } = setUp();
    const body = { read: () => Promise.reject(error), cancel() {} };
    const response = await x.relay({ status: 200, headers: [], body });
    await assert.rejects(response.text());
    assert.deepEqual([records[0]?.end, records[0]?.reason], ended);
  }
  for (
    const [end, ended] of [
      ["abortAll", ["aborted", "going_away"]],
      ["recheckAll", ["aborted", "access_revoked"]],
    ] as const
  ) {
    const { inFlight, records, x } = setUp(() => Promise.resolve(false));
    const { body } = await x.relay({
      status: 200,
      headers: [],
      body: silentBody(),
    });
    await inFlight[end]();
    assert.deepEqual([records[0]?.end, records[0]?.reason], ended);
    await body?.cancel().catch(() => {});
  }
});

Deno.test("the log says why a response or a tunnel broke off after it had begun", async () => {
  await using log = await collectLog();
  const response = await setUp().x.relay({
    status: 200,
    headers: [],
    body: {
      read: () =>
        Promise.reject(new UpstreamError("protocol_error", "bad chunk")),
      cancel() {},
    },
  });
  await assert.rejects(response.text());
  const { level, sandboxId, reason } = await log.next("response broke off");
  assert.deepEqual([level, sandboxId, reason], ["INFO", "box", "bad chunk"]);

  const { x } = setUp();
  x.tunnel({
    response: new Response(),
    tunnel: {
      closed: Promise.resolve({
        by: "upstream",
        code: 1006,
        reason: "Reserved bits",
        ...NO_TRAFFIC,
      }),
      released: Promise.resolve(),
      close() {},
    },
  });
  const line = await log.next("tunnel broke off");
  assert.deepEqual([line.sandboxId, line.reason], ["box", "Reserved bits"]);
});

Deno.test("a client that leaves while its upload is being read has lost a socket", async () => {
  for (const isRead of [false, true]) {
    const { leakedSockets, x } = await setUpUpload();
    if (isRead) x.reply.upload?.read().catch(() => {});
    const response = await x.relay({
      status: 200,
      headers: [],
      body: silentBody(),
    });
    await response.body?.cancel();
    assert.equal(leakedSockets.count, isRead ? 1 : 0);
  }
});

/** A body that comes in chunks of one byte, without end, and whether it was cancelled. */
function bodyInBytes() {
  const told = { isCancelled: false };
  const body = new ReadableStream({
    type: "bytes",
    pull: ({ byobRequest }) => byobRequest?.respond(1),
    cancel() {
      told.isCancelled = true;
    },
  }) as ReadableStream<Uint8Array<ArrayBuffer>>;
  return { told, body };
}

Deno.test("S10: a response in one piece beside a chunked upload is streamed, and the upload cancelled after it", async () => {
  const { told, body } = bodyInBytes();
  const { x } = await setUpUpload(undefined, undefined, { body });
  await x.reply.upload?.read();
  const answer = new Response("done", { status: 418 });
  const response = await x.reply.finish(answer);
  assert.notEqual(response, answer);
  assert.equal(response.status, 418);
  assert.equal(await response.text(), "done");
  await turn();
  assert(told.isCancelled);
});

Deno.test("S10: what is left of an upload is given up where its client has left, too", async () => {
  const { told, body } = bodyInBytes();
  const { x, records } = await setUpUpload(undefined, undefined, { body });
  await x.reply.upload?.read();
  const gone = new StreamError("source_failed", "connection reset");
  const response = await x.refuse(gone);
  assert.equal(response.status, 400);
  assert.equal(await response.text(), "");
  await turn();
  assert(told.isCancelled);
  assert.deepEqual(records.map(({ end }) => end), ["client_gone"]);
});

Deno.test("a response in one piece beside a chunked upload that brings nothing more stays in one piece", async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ type: "bytes" });
  const { x } = await setUpUpload(undefined, undefined, { body });
  const read = assert.rejects(async () => await x.reply.upload?.read(), {
    code: "aborted",
  });
  const answer = new Response("done");
  assert.equal(await x.reply.finish(answer), answer);
  await read;
});

Deno.test("a response leaves no upload that was never read, or is complete", async () => {
  const unread = await setUpUpload();
  const answer = new Response("done");
  assert.equal(unread.x.reply.finish(answer), answer);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.close(),
  });
  const { x } = await setUpUpload(undefined, undefined, { body });
  assert.equal(await x.reply.upload?.read(), null);
  assert.equal(x.reply.finish(answer), answer);
});

Deno.test("S10: a response without a body cannot be sent beside a chunked upload of which much may be kept", async () => {
  for (const [reads, isRefused] of [[1, false], [200, true]] as const) {
    const { body } = bodyInBytes();
    const { x } = await setUpUpload(undefined, undefined, { body });
    for (let read = 0; read < reads; read++) await x.reply.upload?.read();
    const relay = () => x.relay({ status: 204, headers: [], body: null });
    if (isRefused) assert.throws(relay, { code: "duplex_unavailable" });
    else assert.equal((await relay()).status, 204);
  }
});

Deno.test("S10: an upload in chunks that are too small ends, and so does the response beside it", async () => {
  const { body } = bodyInBytes();
  const { x, records } = await setUpUpload(undefined, undefined, { body });
  const response = await x.relay({
    status: 200,
    headers: [],
    body: silentBody(),
  });
  const signal = x.reply.signal();
  for (let read = 0; !signal.aborted; read++) {
    assert(read < 10_000);
    await x.reply.upload?.read();
  }
  await assert.rejects(response.text(), /evicted/);
  assert.equal(records[0]?.end, "aborted");
  const other = await setUpUpload(undefined, undefined, {
    body: bodyInBytes().body,
  });
  while (!other.x.reply.signal().aborted) await other.x.reply.upload?.read();
  const refusal = await other.x.refuse(new StreamError("aborted", "ended"));
  assert.equal(refusal.headers.get("x-porthole-error"), "chunks_too_small");
});

Deno.test("S7: a response that ends early waits for the read of its upload over HTTP/1.1, and loses no socket", async () => {
  for (const isHttp1 of [true, false]) {
    for (const end of ["fails", "is revoked"] as const) {
      const cancelled = Promise.withResolvers<void>();
      let sendMore = () => {};
      const upload = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start(controller) {
          sendMore = () => controller.enqueue(new Uint8Array(1));
        },
        cancel: () => cancelled.resolve(),
      });
      const { leakedSockets, x, inFlight } = await setUpUpload(
        () => Promise.resolve(false),
        undefined,
        { body: upload, isHttp1 },
      );
      x.reply.upload?.read().catch(() => {});
      const fails = Promise.reject(new UpstreamError("connection_lost", ""));
      fails.catch(() => {});
      const body = end === "fails"
        ? { read: () => fails, cancel() {} }
        : silentBody();
      const response = await x.relay({ status: 200, headers: [], body });
      const text = response.text();
      text.catch(() => {});
      if (end === "is revoked") await inFlight.recheckAll();
      x.reply.upload?.cancel(); // as the upstream does
      if (isHttp1) {
        assert.equal(await staysPending(text), true);
        sendMore();
      }
      await assert.rejects(text);
      assert.equal(leakedSockets.count, isHttp1 ? 0 : 1);
      await cancelled.promise;
    }
  }
});

Deno.test("S15: a response beside an open upload in chunks announces no length: it may have to be completed early", async () => {
  for (const isChunked of [true, false]) {
    const framing: Record<string, string> = isChunked
      ? { "transfer-encoding": "chunked" }
      : { "content-length": "9" };
    const { x } = await setUpUpload(undefined, undefined, { framing });
    x.reply.upload?.read().catch(() => {});
    const response = await x.relay({
      status: 200,
      headers: [["Content-Length", "5"]],
      body: silentBody(),
    });
    const length = response.headers.get("content-length");
    assert.equal(length, isChunked ? null : "5");
    await response.body?.cancel();
  }
});

Deno.test("once enough sockets are lost, no response is streamed beside an open upload, and any other one is", async () => {
  for (
    const [hasUpload, body, isRefused] of [
      [true, silentBody(), true],
      [true, new Uint8Array(1), false],
      [false, silentBody(), false],
    ] as const
  ) {
    const leakedSockets = new LeakedSockets(() => 0, () => {});
    const { upload } = fakeUpload();
    while (leakedSockets.risk("127.0.0.1", upload, { isHttp1: true }));
    const { x } = hasUpload
      ? await setUpUpload(undefined, leakedSockets)
      : setUp(undefined, leakedSockets);
    const relay = () => x.relay({ status: 200, headers: [], body });
    if (isRefused) assert.throws(relay, { code: "duplex_unavailable" });
    else assert.equal((await relay()).status, 200);
  }
});

Deno.test("S3: a download is charged to the budget and counts until its client has taken it", async () => {
  const budget = new ByteBudget({ limitBytes: 1_000_000 });
  const { services, inFlight } = exchangeServices({ clientLeg: { budget } });
  const delivered = Promise.withResolvers<void>();
  const x = previewExchange(
    { ...incomingRequest(), delivered: () => delivered.promise },
    PREVIEW_HOST,
    services,
  );
  x.checkLimits();
  x.grant({ sandboxId: "box", by: "public" }, () => Promise.resolve(true));
  assert.equal(x.reply.mayRead(100_000), true);
  assert.equal(budget.usedBytes, 300_000);
  assert.equal(
    x.reply.mayRead(200_000),
    false,
    "that would take more than half",
  );
  const { body } = await x.relay({
    status: 200,
    headers: [],
    body: bodyReader(ReadableStream.from([new Uint8Array(120_000)])),
  });
  assert.ok(body);
  for await (const _ of body);
  assert.equal(budget.usedBytes, 240_000, "the front keeps two chunks");
  assert.equal(inFlight.count, 0);
  const others = Array.from({ length: 9 }, () => inFlight.begin());
  assert.ok(others.every((entry) => entry !== undefined));
  assert.equal(inFlight.begin(), undefined);
  delivered.reject(new Error("the client left"));
  await turn();
  assert.equal(budget.usedBytes, 0);
  assert.notEqual(inFlight.begin(), undefined);
});

Deno.test("S3: an upload is charged to the budget, and answered if it has to go", async () => {
  const budget = new ByteBudget({ limitBytes: 120_000 });
  const { services, records } = exchangeServices({ clientLeg: { budget } });
  const body = ReadableStream.from([
    new Uint8Array(40_000),
    new Uint8Array(40_000),
  ]);
  const x = previewExchange(
    incomingRequest({ method: "POST", body }, { "content-length": "80001" }),
    PREVIEW_HOST,
    services,
  );
  x.checkLimits();
  await x.openBody();
  await x.reply.upload?.read();
  assert.equal(budget.usedBytes, 80_000);
  assert.equal(x.reply.signal().aborted, false);
  await x.reply.upload?.read();
  assert.equal(x.reply.signal().aborted, true);
  const response = await x.refuse(new StreamError("aborted", "upload ended"));
  assert.equal(response.headers.get("x-porthole-error"), "buffers_full");
  assert.equal(records[0]?.error, "buffers_full");
  assert.equal(budget.usedBytes, 0);
});

Deno.test("S3: an upload that has to go makes room at once, so that nobody else has to", async () => {
  const budget = new ByteBudget({ limitBytes: 120_000 });
  const { services } = exchangeServices({ clientLeg: { budget } });
  const body = ReadableStream.from([new Uint8Array(40_000)]);
  const x = previewExchange(
    incomingRequest({ method: "POST", body }, { "content-length": "80000" }),
    PREVIEW_HOST,
    services,
  );
  x.checkLimits();
  await x.openBody();
  await x.reply.upload?.read();
  let isEvicted = false;
  const small = budget.open("tunnel", () => isEvicted = true);
  assert.equal(small.add(50_000), true);
  assert.equal(isEvicted, false);
  assert.equal(x.reply.signal().aborted, true);
  assert.equal(budget.usedBytes, 50_000);
  await x.refuse(new StreamError("aborted", "upload ended"));
  assert.equal(budget.usedBytes, 50_000);
});

Deno.test("S3: an upload that has arrived is charged no more, however long its response lasts", async () => {
  for (const framing of ["content-length", "transfer-encoding"]) {
    const budget = new ByteBudget({ limitBytes: 120_000 });
    const { services } = exchangeServices({ clientLeg: { budget } });
    const body = ReadableStream.from([new Uint8Array(40_000)]);
    const value = framing === "content-length" ? "40000" : "chunked";
    const x = previewExchange(
      incomingRequest({ method: "POST", body }, { [framing]: value }),
      PREVIEW_HOST,
      services,
    );
    x.checkLimits();
    await x.openBody();
    await x.reply.upload?.read();
    if (framing === "transfer-encoding") await x.reply.upload?.read();
    assert.equal(budget.usedBytes, 0, framing);
    const other = budget.open("tunnel", () => {});
    other.add(120_000);
    other.add(1);
    assert.equal(x.reply.signal().aborted, false, framing);
    await x.refuse(new StreamError("aborted", "test"));
  }
});

/** An upload of a byte, with this framing, whose watchers are told. */
async function uploadWith(
  framing: Record<string, string>,
  mostPerClient = Infinity,
) {
  const watched = new Set<Watched>();
  const { services, records } = exchangeServices({
    clientLeg: {
      memoryGuard: {
        mostPerClient,
        watch(upload) {
          watched.add(upload);
          return () => watched.delete(upload);
        },
      },
    },
  });
  const body = ReadableStream.from([new Uint8Array(1)]);
  const x = previewExchange(
    incomingRequest({ method: "POST", body }, framing),
    PREVIEW_HOST,
    services,
  );
  x.checkLimits();
  await x.openBody();
  return { x, watched, records };
}

Deno.test("S10: a chunked upload is watched until it is over, and answered if it is dropped", async () => {
  const { x, watched } = await uploadWith({ "transfer-encoding": "chunked" });
  const [upload] = watched;
  assert.equal(upload?.client, "127.0.0.1");
  const aborted = new Promise((resolve) =>
    x.reply.signal().addEventListener("abort", resolve)
  );
  upload.drop();
  await aborted;
  const response = await x.refuse(new StreamError("aborted", "upload ended"));
  assert.equal(response.headers.get("x-porthole-error"), "buffers_full");
  assert.equal(watched.size, 0);
});

Deno.test("S16: while memory is short, a client with a few uploads of unknown length begins no other", async () => {
  await assert.rejects(uploadWith({ "transfer-encoding": "chunked" }, 0), {
    code: "client_overloaded",
  });
  await uploadWith({ "content-length": "2" }, 0);
});

Deno.test("an upload with a length is watched beside its response, which is broken off if it is dropped", async () => {
  const { x, watched, records } = await uploadWith({ "content-length": "2" });
  assert.equal(watched.size, 0);
  x.grant({ sandboxId: "sb-1", by: "public" }, () => Promise.resolve(true));
  const never = new Promise<null>(() => {});
  const response = await x.relay({
    status: 200,
    headers: [],
    body: { read: () => never, cancel() {} },
  });
  const [upload] = watched;
  const reading = response.text();
  upload?.drop();
  await assert.rejects(reading);
  assert.equal(records[0]?.end, "aborted");
  assert.equal(watched.size, 0);
});
