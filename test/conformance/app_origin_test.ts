/** What an app is told of its own address, and where its redirects lead: choices of Porthole's (APP_ORIGIN=auto). */
import assert from "node:assert/strict";
import { readResponse, valuesOf } from "../support/raw_client.ts";
import { assertForwarded, exchange, upstreamHead } from "./exchange.ts";
import { holdNext } from "./raw_runner.ts";
import { startTarget, type Target, test } from "./target.ts";
import { beginHandshake, switching } from "./ws.ts";

const LOCAL = "http://localhost:3000";
const FORBIDDEN = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";

function ownOrigin({ host }: Target): string {
  return `http://${host}`;
}

/** The origin of another port's preview host, below the same base domain. */
function originOf({ host, prefix }: Target, port: number): string {
  const [, , sandbox] = prefix.split("/");
  return `http://${port}-${sandbox}${host.slice(host.indexOf("."))}`;
}

test.choice("a page's own GET and HEAD arrive without Origin, any other request with every octet of it", async () => {
  await using target = await startTarget();
  const own = ownOrigin(target);
  const fields = [`Origin: ${own}`, `Referer: ${own}/%7e?a=`, "X-A: 1"];
  const kept = [`referer: ${own}/%7e?a=`, "x-a: 1"];
  for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"]) {
    const isRead = method === "GET" || method === "HEAD";
    await assertForwarded(
      target,
      { line: `${method} /a HTTP/1.1`, fields },
      {
        method,
        target: "/a",
        fields: isRead ? kept : [`origin: ${own}`, ...kept],
      },
    );
  }
});

test.choice("the origin of another page arrives as it is, whatever the method", async () => {
  await using target = await startTarget();
  const own = ownOrigin(target);
  for (
    const origin of [`${own}:80`, own.toUpperCase(), "null", LOCAL, "", "x"]
  ) {
    for (const method of ["GET", "HEAD", "DELETE"]) {
      await assertForwarded(
        target,
        { line: `${method} / HTTP/1.1`, fields: [`Origin: ${origin}`] },
        { method, fields: [`origin: ${origin}`] },
      );
    }
  }
});

test.choice("a page's own handshake names localhost alone and, once that is refused, arrives exactly as it was sent", async () => {
  await using target = await startTarget();
  const own = ownOrigin(target);
  using opening = await beginHandshake(target, [`Origin: ${own}`, "X-A: 1"]);
  function headOf(key: string | undefined, origin: string): string {
    return upstreamHead(target, {
      fields: [`origin: ${origin}`, "x-a: 1"],
      framing: `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nconnection: Upgrade`,
    });
  }
  const [firstKey] = valuesOf(opening.app.fields, "sec-websocket-key");
  assert.equal(
    opening.app.head,
    headOf(firstKey, LOCAL).replace(
      /x-forwarded-(?:host|proto): .*\r\n/g,
      "",
    ),
  );
  using held = holdNext(target.runner);
  await opening.app.stream.write(FORBIDDEN);
  const second = await held.request;
  const [secondKey] = valuesOf(second.fields, "sec-websocket-key");
  assert.notEqual(secondKey, firstKey);
  assert.equal(second.head, headOf(secondKey, own));
  await second.stream.write(FORBIDDEN);
  const response = await readResponse(opening.client);
  assert.deepEqual([response.status, response.body], [403, "no"]);
});

test.choice("a page's own handshake that the app accepts is sent once", async () => {
  await using target = await startTarget();
  const origin = `Origin: ${ownOrigin(target)}`;
  for (let i = 1; i <= 2; i++) {
    using opening = await beginHandshake(target, [origin]);
    await opening.app.stream.write(switching(opening.accept));
    assert.equal((await readResponse(opening.client)).status, 101);
    assert.equal(target.runner.seen.length, i);
  }
});

test.choice("a location at the app's own local address leads to the preview, every octet after it unchanged", async (t) => {
  await using target = await startTarget();
  const own = ownOrigin(target);
  const rest = "/a%2F..//\xe4?b=%zz&c=http://localhost:3000/#d";
  const cases: Record<string, string> = {
    [`${LOCAL}${rest}`]: `${own}${rest}`,
    [`https://localhost:3000${rest}`]: `${own}${rest}`,
    [`http://127.0.0.1:3000${rest}`]: `${own}${rest}`,
    [`HTTPS://LOCALHOST:3000`]: own,
    [`${LOCAL}1/x`]: `${originOf(target, 30001)}/x`,
    [`${LOCAL}@elsewhere/`]: `${LOCAL}@elsewhere/`,
    [`${LOCAL}\\@elsewhere/`]: `${LOCAL}\\@elsewhere/`,
    ["http://localhost:5173/"]: `${originOf(target, 5173)}/`,
    ["//localhost:3000/"]: `${own}/`,
    ["/a"]: "/a",
  };
  for (const [sent, expected] of Object.entries(cases)) {
    await t.step(sent, async () => {
      target.runner.answer = [
        "HTTP/1.1 302 Found",
        "X-Before: 1",
        `LoCation: ${sent}`,
        `Content-Location: ${sent}`,
        `X-Location: ${sent}`,
        "Content-Length: 2",
        "",
        "ok",
      ].join("\r\n");
      const { response } = await exchange(target);
      assert.equal(response.body, "ok");
      assert.deepEqual(
        response.fields.filter(([name]) => /location$/i.test(name))
          .map(([name, value]) => [name.toLowerCase(), value]),
        [
          ["location", expected],
          ["content-location", expected],
          ["x-location", sent],
        ],
      );
    });
  }
});
