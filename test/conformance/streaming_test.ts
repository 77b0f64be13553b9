/** Streaming: part by part, both ways at once, and broken off by either side (RFC 9112 sections 7.1, 9.5, 9.6). */
import assert from "node:assert/strict";
import { chunks, type RawStream, readResponse } from "../support/raw_client.ts";
import { exchange, type Message, messageOf, post } from "./exchange.ts";
import { holdNext, ok, type PendingRequest } from "./raw_runner.ts";
import { startTarget, type Target } from "./target.ts";

/** A request in flight, seen from both ends. */
interface Both extends Disposable {
  readonly client: RawStream;
  readonly app: PendingRequest;
}

/** Starts a request, and waits until its head has arrived at the runner. */
async function begin(target: Target, message: Message): Promise<Both> {
  using started = new DisposableStack();
  const held = started.use(holdNext(target.runner));
  const client = started.use(await target.connect());
  await client.write(messageOf(target, message));
  const app = await held.request;
  const owned = started.move();
  return { client, app, [Symbol.dispose]: () => owned.dispose() };
}

const UPLOAD = post("Transfer-Encoding: chunked", "5\r\nhello\r\n");

Deno.test("an answer that comes before the upload ends is heard at once (RFC 9112 section 9.5)", async (t) => {
  const cases: Record<string, Message> = {
    "a chunked upload that stalls": UPLOAD,
    "a counted upload that stalls": post("Content-Length: 1000", "hello"),
  };
  for (const [name, message] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using target = await startTarget();
      using both = await begin(target, message);
      await both.app.stream.write(
        ok("Content-Length: 2", "no").replace("200 OK", "413 Too Large"),
      );
      const { status, body } = await readResponse(both.client);
      assert.deepEqual([status, body], [413, "no"]);
      // No other message can follow half an upload.
      assert.doesNotMatch(await both.app.stream.readToEnd(), /0\r\n\r\n/);
      assert.equal((await exchange(target)).seen[0]?.connection, 1);
    });
  }
});

Deno.test("request and response stream at the same time, part by part (RFC 9112 section 7.1)", async () => {
  await using target = await startTarget();
  using both = await begin(target, UPLOAD);
  const { client, app } = both;
  const uploaded = chunks(app.stream);
  assert.equal((await uploaded.next()).value, "hello");
  await app.stream.write(ok("Transfer-Encoding: chunked", "2\r\nhi\r\n"));
  assert.match(await client.readUntil("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  const downloaded = chunks(client);
  assert.equal((await downloaded.next()).value, "hi");

  for (let i = 0; i < 3; i++) {
    await client.write(`1\r\n${i}\r\n`);
    assert.equal((await uploaded.next()).value, `${i}`);
    await app.stream.write(`2\r\n${i}!\r\n`);
    assert.equal((await downloaded.next()).value, `${i}!`);
  }
  await client.write("0\r\n\r\n");
  assert.equal((await uploaded.next()).done, true);
  await app.stream.write("0\r\n\r\n");
  assert.equal((await downloaded.next()).done, true);
});

Deno.test("a counted body arrives as slowly as it is sent, both ways (RFC 9112 section 6.2)", async () => {
  await using target = await startTarget();
  using both = await begin(target, post("Content-Length: 3"));
  const { client, app } = both;
  for (const octet of "abc") {
    await client.write(octet);
    assert.equal(await app.stream.read(1), octet);
  }
  await app.stream.write(ok("Content-Length: 3"));
  assert.match(await client.readUntil("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  for (const octet of "xyz") {
    await app.stream.write(octet);
    assert.equal(await client.read(1), octet);
  }
});

Deno.test("a client that closes ends the upstream exchange (RFC 9112 section 9.5)", async (t) => {
  const endings: Record<string, (client: RawStream) => unknown> = {
    "closed": (client) => client.close(),
    // Deno.serve treats a half-closed connection like a client that has left (RFC 9112 section 9.6): no response.
    "half-closed": (client) => client.closeWrite(),
  };
  for (const [name, end] of Object.entries(endings)) {
    await t.step(`${name} while waiting`, async () => {
      await using target = await startTarget();
      using both = await begin(target, {});
      await end(both.client);
      assert.equal(await both.app.stream.readToEnd(), "");
    });
    await t.step(`${name} during the upload`, async () => {
      await using target = await startTarget();
      using both = await begin(target, UPLOAD);
      await both.app.stream.readUntil("hello\r\n");
      await end(both.client);
      assert.equal(await both.app.stream.readToEnd(), "");
    });
    await t.step(`${name} during the download`, async () => {
      await using target = await startTarget();
      using both = await begin(target, {});
      await both.app.stream.write(ok("Content-Length: 9", "hello"));
      await both.client.readUntil("hello");
      await end(both.client);
      assert.equal(await both.app.stream.readToEnd(), "");
    });
  }
});
