/** Short bodies share their memory, one after the other: no client ever sees what was another's. */
import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, constants } from "node:http2";
import { giveBackBuffer, takeBuffer } from "../../src/stream/buffer_pool.ts";
import { startGateway } from "../support/gateway.ts";
import { chunks } from "../support/raw_client.ts";
import { turn } from "../support/upstream.ts";

/** What is written over all memory that waits to be used again. */
const POISON = "!";

function poisonPool(): void {
  const taken = [2, 4, 8, 16, 32, 64, 128].flatMap((kib) =>
    Array.from({ length: 5 }, () => takeBuffer(kib * 1024))
  );
  for (const bytes of taken) {
    new Uint8Array(bytes.buffer).fill(POISON.charCodeAt(0));
    giveBackBuffer(bytes);
  }
}

/** Poisons it again and again until all are done. */
async function poisonWhile(all: Promise<unknown>[]): Promise<void> {
  let isOver = false;
  const done = Promise.all(all).finally(() => isOver = true);
  while (!isOver) {
    poisonPool();
    await turn();
  }
  await done;
}

/** The bytes that the path `/LETTER/LENGTH/END` asks for: all with their head, in two chunks, or in two halves. */
async function letterApp(url: string, response: ServerResponse): Promise<void> {
  const [, letter = "", length = "", end] = url.split("/");
  const body = letter.repeat(Number(length));
  response.writeHead(
    200,
    end === "chunked" ? {} : { "content-length": length },
  );
  if (end === "at-once") return void response.end(body);
  response.flushHeaders();
  const half = body.slice(0, body.length / 2);
  await new Promise((resolve) => response.write(half, resolve));
  if (end === "broken") response.destroy();
  else response.end(body.slice(half.length));
}

const LENGTHS = [
  ...[50, 100, 4097, 5000, 16_384, 20_000, 65_536],
  ...[100_000, 131_072, 200_000, 400_000],
];

const ENDS = ["at-once", "whole", "broken", "chunked"];

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The paths of bodies of all lengths, each of a letter of its own, some of which break off. */
function paths(): string[] {
  return LENGTHS.flatMap((length, i) =>
    ENDS.map((end, j) =>
      `/${LETTERS.charAt(ENDS.length * i + j)}/${length}/${end}`
    )
  );
}

/** Fails unless `body` is what the path asked for, or its beginning if that breaks off. */
function assertOwn(path: string, body: string): void {
  const [, letter = "", length = "", end] = path.split("/");
  assert.equal(body.replaceAll(letter, ""), "", `others' bytes in ${path}`);
  if (end === "broken") assert.ok(body.length < Number(length), path);
  else assert.equal(body.length, Number(length), path);
}

function closeOf(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once("close", resolve));
}

Deno.test("no byte of one response is seen in another over HTTP/1.1, whole or broken", async () => {
  await using gateway = await startGateway();
  const host = await gateway.serve(({ url = "" }, response) => {
    void letterApp(url, response);
  });
  for (let round = 0; round < 3; round++) {
    await poisonWhile(
      paths().map(async (path) => {
        using stream = await gateway.open(
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        );
        const head = await stream.readUntil("\r\n\r\n");
        const isChunked = /^transfer-encoding: chunked/im.test(head);
        const body = isChunked
          ? (await Array.fromAsync(chunks(stream))).join("")
          : await stream.readToEnd();
        assertOwn(path, body);
      }),
    );
  }
});

Deno.test("no byte of one response is seen in another over HTTP/2, whole, broken or cancelled", async () => {
  await using gateway = await startGateway();
  const host = await gateway.serve(({ url = "" }, response) => {
    void letterApp(url, response);
  });
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  for (let round = 0; round < 3; round++) {
    await poisonWhile(
      paths().map(async (path, i) => {
        const stream = session.request({ ":path": path, ":authority": host });
        if (i % 5 === 0) {
          stream.on("error", () => {});
          stream.once("data", () => stream.close(constants.NGHTTP2_CANCEL));
          return await closeOf(stream);
        }
        let body = "";
        stream.setEncoding("latin1");
        stream.on("data", (part: string) => body += part);
        stream.on("error", () => {});
        await closeOf(stream);
        assertOwn(path, body);
      }),
    );
  }
  session.close();
  await closeOf(session);
});

Deno.test("a client that reads late gets what was its own, whatever came to others meanwhile", async () => {
  await using gateway = await startGateway();
  for (const length of [100_000, 200_000]) {
    const host = await gateway.serve(({ url = "" }, response) => {
      response.setHeader("content-length", length);
      response.end(url.slice(1).repeat(length));
    });
    const request = (letter: string) =>
      `GET /${letter} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    // More than the kernel takes for one connection.
    const count = 8_000_000 / length;
    using late = await gateway.open(request("a").repeat(count));
    using other = await gateway.open(request("b").repeat(count));
    for (const [stream, letter] of [[other, "b"], [late, "a"]] as const) {
      for (let index = 0; index < count; index++) {
        await stream.readUntil("\r\n\r\n");
        const body = await stream.read(length);
        assert.equal(body.replaceAll(letter, ""), "", `response ${index}`);
        poisonPool();
      }
    }
  }
});

/** The whole request, with that letter as its path and as its body of so many bytes, which may come in chunks. */
function postOf(
  host: string,
  letter: string,
  { length, isChunked }: { length: number; isChunked: boolean },
): string {
  const body = letter.repeat(length);
  const framing = isChunked
    ? "Transfer-Encoding: chunked"
    : `Content-Length: ${length}`;
  return `POST /${letter} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
    `${framing}\r\n\r\n` +
    (isChunked ? `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body);
}

Deno.test("no byte of one request is seen in another, at once, late or broken", async () => {
  await using gateway = await startGateway();
  const seen: string[] = [];
  const host = await gateway.serve((request, response) => {
    request.setEncoding("latin1");
    let body = "";
    request.on("data", (part: string) => body += part);
    request.on("error", () => {});
    request.on("close", () => {
      const letter = request.url?.slice(1) ?? "";
      if (body.replaceAll(letter, "") !== "") seen.push(`others' in ${letter}`);
    });
    request.on("end", () => response.end(`${body.length}`));
  });
  for (let round = 0; round < 3; round++) {
    await poisonWhile(
      LENGTHS.flatMap((length, i) =>
        [false, true].map(async (isChunked, j) => {
          const letter = LETTERS.charAt(2 * i + j);
          const bytes = postOf(host, letter, { length, isChunked });
          const half = Math.floor(bytes.length / 2);
          using stream = await gateway.open(
            i % 3 === 0 ? bytes : bytes.slice(0, half),
          );
          if (i % 3 === 1) return; // it breaks off
          if (i % 3 === 2) {
            await turn();
            await stream.write(bytes.slice(half));
          }
          const answer = await stream.readToEnd();
          assert.ok(answer.includes(`${length}`), letter);
        })
      ),
    );
  }
  assert.deepEqual(seen, []);
});

Deno.test("a client that waits to be told so sends its body, which arrives with its head", async () => {
  await using gateway = await startGateway();
  const host = await gateway.serve((request, response) => {
    request.pipe(response);
  });
  using stream = await gateway.open(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
      "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
  );
  assert.match(await stream.readUntil("\r\n\r\n"), /^HTTP\/1.1 100 /);
  await stream.write("body");
  assert.match(await stream.readUntil("\r\n\r\n"), /^HTTP\/1.1 200 /);
  assert.match(await stream.readToEnd(), /body/);
});
