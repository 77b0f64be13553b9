/** The opening handshake of a WebSocket, accepted or refused (RFC 6455 section 4, RFC 9110 section 7.8). */
import assert from "node:assert/strict";
import { readResponse, valuesOf } from "../support/raw_client.ts";
import { acceptOf } from "../support/wire_frames.ts";
import { assertOwn, errorOf, exchange, upstreamHead } from "./exchange.ts";
import { startTarget, test } from "./target.ts";
import {
  beginHandshake,
  frame,
  HANDSHAKE,
  OPCODE,
  readFrame,
  switching,
} from "./ws.ts";

test.choice("the app gets a handshake of the gateway's own, with the client's fields (RFC 6455 section 4.1)", async () => {
  await using target = await startTarget();
  using opening = await beginHandshake(target, [
    "Origin: http://elsewhere",
    "Sec-WebSocket-Protocol: chat.v2,chat.v1 , x~1.0",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Cookie: a=1",
    "User-Agent: by hand",
    "X-A: 1",
  ]);
  const { head } = opening.app;
  const [key = ""] = valuesOf(opening.app.fields, "sec-websocket-key");
  assert.equal(atob(key).length, 16);
  assert.notEqual(key, "dGhlIHNhbXBsZSBub25jZQ==");
  const own = `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nconnection: Upgrade`;
  assert.equal(
    head,
    upstreamHead(target, {
      fields: [
        "cookie: a=1",
        "origin: http://elsewhere",
        "sec-websocket-protocol: chat.v2,chat.v1 , x~1.0",
        "user-agent: by hand",
        "x-a: 1",
      ],
      framing: own,
    }),
  );
});

test.choice("every handshake has a key of its own, on a connection of its own (RFC 6455 section 4.1)", async () => {
  await using target = await startTarget();
  const keys = new Set<string>();
  const connections = new Set<number>();
  for (let i = 0; i < 3; i++) {
    using opening = await beginHandshake(target);
    const { fields, connection } = opening.app;
    keys.add(valuesOf(fields, "sec-websocket-key").join());
    connections.add(connection);
  }
  assert.equal(keys.size, 3);
  assert.equal(connections.size, 3);
});

Deno.test("the client gets its 101 when the app has sent one, with what the app chose (RFC 6455 section 4.2.2)", async (t) => {
  await using target = await startTarget();
  const cases: Record<string, [offered: string[], chosen: string[]]> = {
    "no subprotocol": [[], []],
    "none of those offered": [["Sec-WebSocket-Protocol: a, b"], []],
    "the second": [["Sec-WebSocket-Protocol: a, b"], ["b"]],
    "the second, offered without a blank": [
      ["Sec-WebSocket-Protocol: a,b"],
      ["b"],
    ],
    "the second, offered in a field of its own": [
      ["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"],
      ["b"],
    ],
  };
  for (const [name, [offered, chosen]] of Object.entries(cases)) {
    await t.step(name, async () => {
      using opening = await beginHandshake(target, offered);
      const fields = chosen.map((one) => `Sec-WebSocket-Protocol: ${one}`);
      await opening.app.stream.write(switching(opening.accept, ...fields));
      const response = await readResponse(opening.client);
      assert.equal(response.status, 101);
      assert.deepEqual(valuesOf(response.fields, "sec-websocket-accept"), [
        acceptOf("dGhlIHNhbXBsZSBub25jZQ=="),
      ]);
      assert.deepEqual(
        valuesOf(response.fields, "sec-websocket-protocol"),
        chosen,
      );
      assert.deepEqual(
        valuesOf(response.fields, "sec-websocket-extensions"),
        [],
      );
    });
  }
});

Deno.test("a handshake's spelling may vary (RFC 6455 section 4.2.1)", async (t) => {
  await using target = await startTarget();
  const [, , version = "", key = ""] = HANDSHAKE;
  const cases: Record<string, string[]> = {
    "upper case": ["Connection: UPGRADE", "Upgrade: WebSocket"],
    "Connection as a list": [
      "Connection: keep-alive, Upgrade",
      "Upgrade: websocket",
    ],
    "Connection in two fields": [
      "Connection: keep-alive",
      "Connection: Upgrade",
      "Upgrade: websocket",
    ],
  };
  for (const [name, fields] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { seen } = await exchange(target, {
        fields: [...fields, version, key],
      });
      assert.match(seen[0]?.head ?? "", /\r\nUpgrade: websocket\r\n/i);
    });
  }
});

test.choice("what is no handshake of version 13 is refused, and no app is asked (RFC 6455 section 4.2.2)", async (t) => {
  await using target = await startTarget();
  const [connection = "", upgrade = "", , key = ""] = HANDSHAKE;
  const cases: Record<string, string[]> = {
    "another version": [connection, upgrade, "Sec-WebSocket-Version: 8", key],
    "two versions": [
      connection,
      upgrade,
      "Sec-WebSocket-Version: 13, 8",
      key,
    ],
    "no version": [connection, upgrade, key],
  };
  for (const [name, fields] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { response, seen } = await exchange(target, { fields });
      assertOwn(target, response, 426, "upgrade_required");
      assert.deepEqual(
        valuesOf(response.fields, "sec-websocket-version"),
        ["13"],
      );
      assert.deepEqual(seen, []);
    });
  }
});

test.choice("a handshake without a key of 16 octets is refused, and no app is asked (RFC 6455 section 4.2.1)", async (t) => {
  await using target = await startTarget();
  const [connection = "", upgrade = "", version = ""] = HANDSHAKE;
  const cases: Record<string, string[]> = {
    "no key": [],
    "an empty key": ["Sec-WebSocket-Key:"],
    "a key that is no base64": ["Sec-WebSocket-Key: x"],
    "a key of 3 octets": ["Sec-WebSocket-Key: AAAA"],
    "two keys": [
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ],
  };
  for (const [name, keys] of Object.entries(cases)) {
    await t.step(name, async () => {
      const fields = [connection, upgrade, version, ...keys];
      const { response, seen } = await exchange(target, { fields });
      assertOwn(target, response, 400, "bad_request");
      assert.deepEqual(seen, []);
    });
  }
});

test.choice("an upgrade that is no WebSocket's is an ordinary request (RFC 9110 section 7.8)", async (t) => {
  await using target = await startTarget();
  const cases: Record<string, { line?: string; fields: string[] }> = {
    "another protocol": { fields: ["Connection: Upgrade", "Upgrade: x"] },
    "websocket in a list": {
      fields: ["Connection: Upgrade", "Upgrade: x, websocket"],
    },
    "without Connection": { fields: ["Upgrade: websocket"] },
    "without Upgrade": { fields: ["Connection: Upgrade"] },
    "by POST": { line: "POST / HTTP/1.1", fields: [...HANDSHAKE] },
  };
  for (const [name, message] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { response, seen } = await exchange(target, message);
      assert.equal(response.status, 200);
      assert.doesNotMatch(seen[0]?.head ?? "", /upgrade|sec-websocket-key/i);
    });
  }
});

const REFUSALS: Record<string, string> = {
  "a 401":
    'HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm="app"\r\nX-A: 1\r\n',
  "a 404": "HTTP/1.1 404 x\r\nX-A: 1\r\n",
  "a 302": "HTTP/1.1 302 x\r\nLocation: /login\r\nX-A: 1\r\n",
  "a 200": "HTTP/1.1 200 OK\r\nX-A: 1\r\n",
  "a 426 of the app's": "HTTP/1.1 426 x\r\nSec-WebSocket-Version: 8\r\n",
};

Deno.test("a refusal of the app's is the client's response, fields and body included (RFC 6455 section 4.1)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, head] of Object.entries(REFUSALS)) {
    await t.step(name, async () => {
      runner.answer = `${head}Content-Length: 2\r\n\r\nno`;
      const fields = HANDSHAKE;
      const { response } = await exchange(target, { fields });
      assert.equal(String(response.status), head.slice(9, 12));
      const sent = head.trimEnd().split("\r\n").slice(1);
      const lines = response.fields.map((field) => field.join(": "));
      if (target.isPorthole) {
        assert.deepEqual(lines.slice(0, sent.length), sent);
      } else for (const line of sent) assert(lines.includes(line), line);
      assert.equal(response.body, "no");
      assert.equal(errorOf(response), undefined);
    });
  }
});

const BAD_SWITCHES: Record<string, (accept: string) => string> = {
  "another accept": () => switching("dGhlIHNhbXBsZSBub25jZQ=="),
  "no accept": (accept) =>
    switching(accept).replace(/Sec-WebSocket-Accept.*\r\n/, ""),
  "two accepts": (accept) =>
    switching(accept, `Sec-WebSocket-Accept: ${accept}`),
  "no Upgrade": (accept) => switching(accept).replace(/Upgrade: .*\r\n/, ""),
  "another Upgrade": (accept) =>
    switching(accept).replace("Upgrade: websocket", "Upgrade: h2c"),
  "no Connection": (accept) =>
    switching(accept).replace(/Connection: .*\r\n/, ""),
  "an extension": (accept) =>
    switching(accept, "Sec-WebSocket-Extensions: permessage-deflate"),
  "a subprotocol": (accept) => switching(accept, "Sec-WebSocket-Protocol: c"),
  "two subprotocols": (accept) =>
    switching(accept, "Sec-WebSocket-Protocol: a, b"),
  "a field that is none": (accept) => switching(accept, "X"),
};

test.choice("a 101 that does not complete the handshake is a 502 (RFC 6455 section 4.1)", async (t) => {
  await using target = await startTarget();
  for (const [name, answer] of Object.entries(BAD_SWITCHES)) {
    await t.step(name, async () => {
      using opening = await beginHandshake(target, [
        "Sec-WebSocket-Protocol: a, b",
      ]);
      await opening.app.stream.write(answer(opening.accept));
      const response = await readResponse(opening.client);
      assertOwn(target, response, 502, "runner_protocol_error");
      assert.equal(await opening.app.stream.readToEnd(), "");
    });
  }
});

Deno.test("interim responses before the 101 are not it (RFC 9110 section 15.2)", async () => {
  await using target = await startTarget();
  using opening = await beginHandshake(target);
  const { client, app: { stream }, accept } = opening;
  await stream.write(
    `HTTP/1.1 103 Early Hints\r\n\r\n${switching(accept)}${
      frame({ opcode: OPCODE.text, payload: "hi" })
    }`,
  );
  assert.equal((await readResponse(client)).status, 101);
  assert.equal((await readFrame(client)).payload, "hi");
});

Deno.test("a client that leaves during the handshake ends it at the app (RFC 6455 section 7.1.1)", async () => {
  await using target = await startTarget();
  using opening = await beginHandshake(target);
  opening.client.close();
  assert.equal(await opening.app.stream.readToEnd(), "");
});

Deno.test("an offer of subprotocols that is none is the app's to judge, and a refusal passes (RFC 6455 section 4.1)", async (t) => {
  await using target = await startTarget();
  for (const offer of ["a b", "a, a", ","]) {
    await t.step(offer, async () => {
      const fields = [...HANDSHAKE, `Sec-WebSocket-Protocol: ${offer}`];
      const { response, seen } = await exchange(target, { fields });
      assert.equal(response.status, 200);
      const offered = seen.map((one) =>
        valuesOf(one.fields, "sec-websocket-protocol").join()
      );
      assert.deepEqual(offered, [offer]);
    });
  }
});
