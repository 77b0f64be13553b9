import assert from "node:assert/strict";
import { serveOnLoopback } from "../scenarios/isolation_apps.ts";
import { startNames } from "./names.ts";

/** Asks a SOCKS proxy for a host and port, and returns its code and the connection. */
async function ask(proxy: number, host: string, port: number) {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: proxy });
  const name = new TextEncoder().encode(host);
  await socket.write(Uint8Array.of(5, 1, 0));
  await socket.read(new Uint8Array(2));
  await socket.write(
    Uint8Array.of(5, 1, 0, 3, name.length, ...name, port >> 8, port & 255),
  );
  const reply = new Uint8Array(10);
  await socket.read(reply);
  return { code: reply[1], socket };
}

Deno.test("a name that is known leads to its port of this machine, and no other name leads anywhere", async () => {
  await using server = serveOnLoopback(({ headers }) =>
    new Response(headers.get("host"))
  );
  await using names = startNames((host, port) =>
    host === "known.test" && port === server.port
  );
  const { code, socket } = await ask(names.port, "known.test", server.port);
  assert.equal(code, 0);
  await socket.write(new TextEncoder().encode(
    "GET / HTTP/1.1\r\nHost: known.test\r\nConnection: close\r\n\r\n",
  ));
  const answer = await new Response(socket.readable).text();
  assert.match(answer, /\r\n\r\nknown\.test$/);

  for (
    const [host, port] of [
      ["unknown.test", server.port],
      ["known.test", 1],
    ] as const
  ) {
    const refused = await ask(names.port, host, port);
    assert.equal(refused.code, 4);
    refused.socket.close();
  }
});
