import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { pipe } from "../../../../src/downstream/tls/pipe.ts";
import {
  AHEAD_BYTES,
  ReadAhead,
} from "../../../../src/downstream/tls/read_ahead.ts";
import { discard } from "../../../support/dial.ts";
import { flood } from "../../../support/hostile_app.ts";

const HOST = { hostname: "127.0.0.1" };

/** A connection as a listener gets it, paused, and its other end. */
async function accepted(): Promise<
  AsyncDisposable & { readonly client: Socket; readonly peer: Deno.TcpConn }
> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, HOST.hostname);
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  const connected: Promise<Socket[]> = once(server, "connection");
  const peer = await Deno.connect({ ...HOST, port: address.port });
  const [client] = await connected;
  assert(client !== undefined);
  return {
    client,
    peer,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** The two ends of a connection of the gateway's own. */
async function ownConnection(): Promise<
  { readonly inner: Deno.TcpConn; readonly front: Deno.TcpConn }
> {
  using listener = Deno.listen({ ...HOST, port: 0 });
  const inner = await Deno.connect({ ...HOST, port: listener.addr.port });
  return { inner, front: await listener.accept() };
}

Deno.test("S10: of a client that sends on after its answer, little is read until it is disconnected", async () => {
  await using connection = await accepted();
  const { client, peer } = connection;
  const { inner, front } = await ownConnection();
  const taken = discard(front);
  const ahead = new ReadAhead();
  ahead.begin(0, () => Promise.resolve());

  const piped = pipe(client, inner, { memory: { set: () => true }, ahead });
  const flooding = assert.rejects(flood(peer, new Uint8Array(1)));
  await piped;
  await Promise.all([flooding, taken]);
  front.close();
  peer.close();
  const buffers = 4 * 64 * 1024;
  assert(client.bytesRead > AHEAD_BYTES);
  assert(client.bytesRead <= 2 * AHEAD_BYTES + buffers, `${client.bytesRead}`);
});

Deno.test("a client is sent what is long in large parts, and every byte of it", async () => {
  await using connection = await accepted();
  const { client, peer } = connection;
  const { inner, front } = await ownConnection();
  const text = crypto.getRandomValues(new Uint8Array(60_000)).toHex();
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await front.write(bytes.subarray(sent));
  }
  front.close();

  const parts: number[] = [];
  const write = client.write.bind(client);
  Object.assign(client, {
    write(data: Uint8Array, done: () => void) {
      parts.push(data.length);
      return write(data, done);
    },
  });
  const piped = pipe(client, inner, { memory: { set: () => true } });
  assert.equal(await new Response(peer.readable).text(), text);
  await piped;
  assert.equal(parts[0], 16 * 1024);
  assert(Math.max(...parts) > 16 * 1024, String(parts));
});
