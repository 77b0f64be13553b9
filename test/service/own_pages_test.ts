/** The gateway's own pages, asked for often. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { BASE } from "../support/gateway.ts";
import { testInBothWorlds as test } from "../support/worlds.ts";

test("/openapi.json, /docs and /docs/apps come in gzip for who takes it, and HEAD says the same without a body", async (startGateway) => {
  await using gateway = await startGateway();
  for (const path of ["/openapi.json", "/docs", "/docs/apps"]) {
    const plain = await gateway.send(BASE, { path });
    const headers = { "accept-encoding": "gzip, deflate, br" };
    const coded = await gateway.send(BASE, { path, headers });
    assert.equal(coded.headers.get("content-encoding"), "gzip", path);
    assert.equal(
      new TextDecoder().decode(gunzipSync(coded.bytes)),
      plain.body,
      path,
    );
    const head = await gateway.send(BASE, { path, headers, method: "HEAD" });
    assert.equal(head.status, 200, path);
    assert.equal(head.bytes.length, 0, path);
    for (const { headers } of [plain, coded, head]) {
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.match(headers.get("vary") ?? "", /, Accept-Encoding$/);
    }
  }
});

test("/docs and /docs/apps name the port that a visitor used, and are compressed for no port, of which there are many", async (startGateway) => {
  await using gateway = await startGateway();
  const headers = { "accept-encoding": "gzip" };
  for (const path of ["/docs", "/docs/apps"]) {
    const plain = await gateway.send(BASE, { path });
    for (const host of [`${BASE}:8443`, `${BASE.toUpperCase()}:1`]) {
      const shown = await gateway.send(host, { path, headers });
      assert.equal(shown.headers.get("content-encoding"), null, host);
      const expected = plain.body.replaceAll(BASE, host.toLowerCase());
      assert.equal(shown.body, expected, host);
    }
    const again = await gateway.send(BASE, { path });
    assert.equal(again.body, plain.body);
  }
});

test("what one client asks for at once is answered, and in order on one connection, as much as a person or a backend does", async (startGateway) => {
  await using gateway = await startGateway();
  const pages = ["/docs", "/access/demo", "/openapi.json", "/nothing"];
  const answers = await Promise.all(
    Array.from(
      { length: 80 },
      (_, i) => gateway.send(BASE, { path: pages[i % pages.length] ?? "/" }),
    ),
  );
  for (const { code } of answers) assert.notEqual(code, "pages_overloaded");

  using stream = await gateway.open(
    Array.from(
      { length: 100 },
      (_, i) =>
        `GET /nothing-${i} HTTP/1.1\r\nHost: ${BASE}\r\nX-Request-Id: n${i}\r\n${
          i === 99 ? "Connection: close\r\n" : ""
        }\r\n`,
    ).join(""),
  );
  const all = await stream.readToEnd();
  assert.equal(all.match(/HTTP\/1\.1 404/g)?.length, 100);
});
