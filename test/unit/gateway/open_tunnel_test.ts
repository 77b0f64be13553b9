import assert from "node:assert/strict";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import { openTunnel } from "../../../src/gateway/open_tunnel.ts";
import { UpstreamWebSocket } from "../../../src/upstream/websocket/socket.ts";
import { admittedRequest, incomingRequest } from "../../support/exchange.ts";
import { fakeConnection } from "../../support/wire_frames.ts";

const HANDSHAKE = {
  "connection": "upgrade",
  "upgrade": "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Opens a tunnel to an app that accepts, for a client that may have left. */
function open(
  { fields = {}, hasDisconnected = false, isBanned = false }: {
    fields?: Record<string, string>;
    hasDisconnected?: boolean;
    isBanned?: boolean;
  },
) {
  const client = new AbortController();
  if (hasDisconnected) client.abort();
  const connection = fakeConnection();
  let asked = 0;
  const forwarder = {
    openWebSocket() {
      asked++;
      const socket = new UpstreamWebSocket(connection);
      return Promise.resolve({
        kind: "open" as const,
        socket,
        protocol: undefined,
      });
    },
  };
  const request = new Request("http://3000-box.test/", {
    signal: client.signal,
  });
  const sent = { ...HANDSHAKE, ...fields };
  const headers = new Headers(sent);
  const admitted = admittedRequest({ headers, clientAddress: "c" });
  const received = { ...incomingRequest({}, sent), request };
  return {
    connection,
    asked: () => asked,
    result: openTunnel(
      { received, reserveTunnel: () => undefined },
      admitted,
      forwarder,
      {
        bufferLimitBytes: 1000,
        maxMessageBytes: 1000,
        budget: new ByteBudget({ limitBytes: 1000 }),
        bans: {
          add() {},
          has: (client, origin) =>
            isBanned && client === "c" && origin === "https://hostile.example",
        },
      },
    ),
  };
}

Deno.test("a tunnel whose client has left meanwhile leaves no connection to the app behind", async () => {
  const { connection, result } = open({ hasDisconnected: true });
  await assert.rejects(result, { code: "aborted" });
  assert.equal(connection.isClosed, true);
});

Deno.test("a tunnel that cannot be upgraded leaves no connection to the app behind", async () => {
  // Not a request of a server, so there is nothing to upgrade.
  const { connection, result } = open({});
  await assert.rejects(result);
  assert.equal(connection.isClosed, true);
});

Deno.test("an app is not asked for a tunnel by what is no handshake", async () => {
  for (
    const [fields, code] of [
      [{ "sec-websocket-version": "8" }, "upgrade_required"],
      [{ "sec-websocket-version": "" }, "upgrade_required"],
      [{ "sec-websocket-key": "" }, "bad_request"],
      [{ "sec-websocket-key": "dGhlIHNhbXBsZQ==" }, "bad_request"],
    ] as const
  ) {
    const { asked, result } = open({ fields });
    await assert.rejects(result, { code });
    assert.equal(asked(), 0);
  }
});

Deno.test("S14: whose pages have just flooded a WebSocket gets no other for them, and is told when to try again", async () => {
  const fields = { origin: "https://hostile.example" };
  const { asked, result } = open({ fields, isBanned: true });
  await assert.rejects(result, {
    code: "client_overloaded",
    retryAfterSec: 10,
  });
  assert.equal(asked(), 0);
});
