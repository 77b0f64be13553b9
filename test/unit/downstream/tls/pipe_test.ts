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

Deno.test("S10: of a client that sends on after its answer, little is read until it is disconnected", async () => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, HOST.hostname);
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  const connected: Promise<Socket[]> = once(server, "connection");
  using attacker = await Deno.connect({ ...HOST, port: address.port });
  const [client] = await connected;
  assert(client !== undefined);

  using listener = Deno.listen({ ...HOST, port: 0 });
  const inner = await Deno.connect({ ...HOST, port: listener.addr.port });
  using front = await listener.accept();
  const taken = discard(front);
  const ahead = new ReadAhead();
  ahead.begin(0, () => Promise.resolve());

  const piped = pipe(client, inner, { memory: { set: () => true }, ahead });
  const flooding = assert.rejects(flood(attacker, new Uint8Array(1)));
  await piped;
  await Promise.all([flooding, taken]);
  const buffers = 4 * 64 * 1024;
  assert(client.bytesRead > AHEAD_BYTES);
  assert(client.bytesRead <= 2 * AHEAD_BYTES + buffers, `${client.bytesRead}`);
  server.close();
  await once(server, "close");
});
