import assert from "node:assert/strict";
import { withSpacedProtocols } from "../../../src/platform/subprotocols.ts";
import { handshake, serve, stillNeeded } from "./canary.ts";

/** The response to a handshake that offers these subprotocols, to a server that chooses "b". */
async function upgrade(
  offered: string,
  prepare: (request: Request) => Request,
): Promise<string> {
  const over = Promise.withResolvers<void>();
  await using server = serve((request) => {
    try {
      const upgraded = Deno.upgradeWebSocket(prepare(request), {
        protocol: "b",
      });
      upgraded.socket.onclose = () => over.resolve();
      return upgraded.response;
    } catch (error) {
      over.resolve();
      return new Response(null, { status: 400, statusText: String(error) });
    }
  });
  const client = await server.connect();
  await client.write(handshake(`Sec-WebSocket-Protocol: ${offered}`));
  const head = await client.readUntil("\r\n\r\n");
  client.close();
  await over.promise;
  return head;
}

Deno.test("withSpacedProtocols() lets a subprotocol be chosen from a list with any separator", async () => {
  for (const offered of ["a,b", "a, b", "a ,\tb", "b"]) {
    const head = await upgrade(
      offered,
      (request) => withSpacedProtocols(request, request.headers),
    );
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /\r\nsec-websocket-protocol: b\r\n/i);
  }
});

Deno.test("withSpacedProtocols() leaves a request without subprotocols alone", () => {
  const request = new Request("http://box.test/");
  const { headers } = request;
  assert.equal(withSpacedProtocols(request, headers), request);
  assert.equal(request.headers, headers);
});

Deno.test("canary: Deno.upgradeWebSocket() finds no subprotocol in a list without spaces", async () => {
  const head = await upgrade("a,b", (request) => request);
  stillNeeded(/^HTTP\/1\.1 400 /.test(head), {
    mended: "lists of subprotocols without spaces",
    remove: "src/platform/subprotocols.ts",
  });
});
