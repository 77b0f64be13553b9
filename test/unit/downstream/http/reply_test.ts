import assert from "node:assert/strict";
import { ReadSizes } from "../../../../src/downstream/http/read_sizes.ts";
import { Reply } from "../../../../src/downstream/http/reply.ts";

/** The reply to a POST of four bytes with this header. */
function replyTo(name: string, value: string): Reply {
  const headers = new Headers({ "content-length": "4", [name]: value });
  return new Reply({
    request: new Request("http://box.test/", { method: "POST", body: "body" }),
    headers,
    client: { clientAddress: "127.0.0.1" },
    connection: "127.0.0.1:1",
    delivered: () => Promise.resolve(),
    onBodyRead: undefined,
  }, {
    leakedSockets: { risk: () => undefined },
    readSizes: new ReadSizes(),
    budget: {
      open: () => assert.fail("nothing is charged"),
      hasPlenty: () => true,
    },
  });
}

Deno.test("the body of a client that is told to go on by its first read is not read before the head is sent", async () => {
  const awaited = replyTo("expect", "100-continue");
  await awaited.openUpload();
  assert.equal(awaited.upload?.peek(), undefined);
  const plain = replyTo("accept", "*/*");
  await plain.openUpload();
  assert.equal((await plain.upload?.peek())?.length, 4);
});

Deno.test("a body is lent rather than copied beyond 32 KiB over HTTP/1.1, and beyond 128 KiB over HTTP/2", async () => {
  const lent = async (header: string, kib: number) => {
    const body = new Uint8Array(kib * 1024);
    const { response } = replyTo(header, "box.test").whole(body, 200, []);
    await response.body?.pipeTo(new WritableStream());
    return body.length === 0; // its memory is given up
  };
  assert.equal(await lent("host", 32), false);
  assert.equal(await lent("host", 33), true);
  assert.equal(await lent("accept", 128), false);
  assert.equal(await lent("accept", 129), true);
});
