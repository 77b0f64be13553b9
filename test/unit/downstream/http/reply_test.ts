import assert from "node:assert/strict";
import {
  type RepliedRequest,
  Reply,
} from "../../../../src/downstream/http/reply.ts";
import { exchangeServices } from "../../../support/exchange.ts";
import { ByteBudget } from "../../../../src/stream/byte_budget.ts";
import type { BufferKind } from "../../../../src/observability/metrics/facts.ts";

const KIB = 1024;

/** The reply to a POST of four bytes, with these differences. */
function replyTo(
  { headers = {}, ...differences }:
    & Partial<Omit<RepliedRequest, "headers">>
    & { readonly headers?: Readonly<Record<string, string>> },
  budget = new ByteBudget<BufferKind>({ limitBytes: Infinity }),
): Reply {
  return new Reply({
    request: new Request("http://box.test/", { method: "POST", body: "body" }),
    headers: new Headers({ "content-length": "4", ...headers }),
    client: { clientAddress: "127.0.0.1" },
    connection: "127.0.0.1:1",
    socket: undefined,
    isHttp2: false,
    delivered: () => Promise.resolve(),
    onBodyRead: undefined,
    ...differences,
  }, exchangeServices({ clientLeg: { budget } }).services.clientLeg);
}

Deno.test("the body of a client that is told to go on by its first read is not read before the head is sent", async () => {
  const awaited = replyTo({ headers: { expect: "100-continue" } });
  await awaited.openUpload();
  assert.equal(awaited.upload?.peek(), undefined);
  const plain = replyTo({ headers: { accept: "*/*" } });
  await plain.openUpload();
  assert.equal((await plain.upload?.peek())?.length, 4);
});

for (const isHttp2 of [false, true]) {
  const version = isHttp2 ? "HTTP/2" : "HTTP/1.1";
  Deno.test(`over ${version}, a body is lent rather than copied beyond 32 KiB`, async () => {
    async function isLent(kib: number): Promise<boolean> {
      const body = new Uint8Array(kib * KIB);
      const { response } = replyTo({ isHttp2 }).whole(body, 200, []);
      await response.body?.pipeTo(new WritableStream());
      return body.length === 0; // its memory is given up
    }
    assert.equal(await isLent(32), false);
    assert.equal(await isLent(33), true);
  });
}

for (
  const [isHttp2, kib, charged] of [[false, 32, 0], [false, 64, 128], [
    true,
    64,
    128,
  ]] as const
) {
  Deno.test(`${kib} KiB over ${isHttp2 ? "HTTP/2" : "HTTP/1.1"} are charged with ${charged} KiB until the client has taken them`, async () => {
    const budget = new ByteBudget<BufferKind>({ limitBytes: Infinity });
    const { promise, resolve } = Promise.withResolvers<void>();
    const reply = replyTo({ isHttp2, delivered: () => promise }, budget);
    reply.whole(new Uint8Array(kib * KIB), 200, []);
    reply.close();
    assert.equal(budget.usedBytes, charged * KIB);
    resolve();
    await promise;
    await Promise.resolve();
    assert.equal(budget.usedBytes, 0);
  });
}

Deno.test("over HTTP/2, even a short body counts until its client has taken it, and an empty one never", () => {
  const short = replyTo({ isHttp2: true }).whole(new Uint8Array(1), 200, []);
  assert.notEqual(short.delivered, undefined);
  const empty = replyTo({ isHttp2: true }).whole(new Uint8Array(), 200, []);
  assert.equal(empty.delivered, undefined);
  const plain = replyTo({}).whole(new Uint8Array(1), 200, []);
  assert.equal(plain.delivered, undefined);
});

Deno.test("the client's connection is closed for others' memory if a long answer in one piece waits on it", () => {
  const budget = new ByteBudget<BufferKind>({ limitBytes: 300 * KIB });
  let closed = 0;
  const socket = { sentBytes: 0, close: () => void closed++ };
  const delivered = () => new Promise<void>(() => {});
  const waiting = { isHttp2: true, socket, delivered };
  replyTo(waiting, budget).whole(new Uint8Array(64 * KIB), 200, []);
  assert.equal(closed, 0);
  budget.open("upload", () => {}, "192.0.2.1").add(100 * KIB);
  budget.open("upload", () => {}, "192.0.2.2").add(100 * KIB);
  assert.equal(closed, 1);
});
