/**
 * Where a response ends, what happens to its connection, and how clients detect truncation (RFC 9112 sections 8, 9).
 */
import assert from "node:assert/strict";
import { readResponse } from "../support/raw_client.ts";
import { assertOwn, attempt, exchange, messageOf } from "./exchange.ts";
import { holdNext, OK, ok, thenClose } from "./raw_runner.ts";
import { startTarget, test } from "./target.ts";

const HELLO = "5\r\nhello\r\n0\r\n\r\n";

const TRUNCATED: Record<string, string> = {
  "less than Content-Length": ok("Content-Length: 10", "hello"),
  "no last chunk": ok("Transfer-Encoding: chunked", "5\r\nhello\r\n"),
  "a cut chunk": ok("Transfer-Encoding: chunked", "9\r\nhello"),
  "a cut trailer section": ok(
    "Transfer-Encoding: chunked",
    "5\r\nhello\r\n0\r\n",
  ),
};

Deno.test("a body that breaks off is a broken transfer, never a clean end (RFC 9112 section 8)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, answer] of Object.entries(TRUNCATED)) {
    await t.step(name, async () => {
      runner.answer = thenClose(answer);
      const { response } = await exchange(target);
      assert.equal(response.status, 200);
      assert.equal(response.isComplete, false);
    });
  }
});

Deno.test("a chunk that turns out wrong in the middle of a body breaks the transfer off (RFC 9112 section 7.1)", async () => {
  await using target = await startTarget();
  using held = holdNext(target.runner);
  using client = await target.connect();
  await client.write(messageOf(target, {}));
  const { stream } = await held.request;
  await stream.write(ok("Transfer-Encoding: chunked", "5\r\nhello\r\n"));
  const begun = await client.readUntil("hello\r\n");
  assert.match(begun, /^HTTP\/1\.1 200 /);
  await stream.write("x\r\n");
  assert.equal(await client.readToEnd(), "");
  assert.equal(await stream.readToEnd(), "");
});

Deno.test("a runner that closes before it answered is a 502 (RFC 9110 section 15.6.3)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  const cases: Record<string, string> = {
    "nothing": "",
    "half a head": "HTTP/1.1 200 OK\r\nContent-",
    "only an interim response": "HTTP/1.1 100 Continue\r\n\r\n",
  };
  for (const [name, answer] of Object.entries(cases)) {
    await t.step(name, async () => {
      runner.answer = thenClose(answer);
      const { response } = await exchange(target);
      assertOwn(target, response, 502, "runner_unreachable");
    });
  }
});

const OVERLONG: Record<string, [method: string, answer: string]> = {
  "a second response": ["GET", OK + OK.replace("ok", "no")],
  "more than Content-Length": ["GET", `${OK}more`],
  "more behind the last chunk": [
    "GET",
    `${ok("Transfer-Encoding: chunked", HELLO)}more`,
  ],
  "a body of HEAD": ["HEAD", OK],
  "a body of 204": ["GET", OK.replace("200 OK", "204 No Content")],
  "a body of 304": ["GET", OK.replace("200 OK", "304 Not Modified")],
  "chunks of 304": [
    "GET",
    ok("Transfer-Encoding: chunked", HELLO).replace("200", "304"),
  ],
};

Deno.test("octets behind the end of a response are nobody's answer (RFC 9112 sections 6.3, 9.2)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, [method, answer]] of Object.entries(OVERLONG)) {
    await t.step(name, async () => {
      runner.answer = answer;
      const line = `${method} / HTTP/1.1`;
      if (!target.isPorthole) {
        // It may refuse the response, or reuse the connection after discarding the surplus octets.
        await attempt(target, { line });
        runner.answer = OK;
        assert.equal((await exchange(target)).response.body, "ok");
        return;
      }
      const { response, seen: [first] } = await exchange(target, { line });
      assert(response.isComplete);
      assert.doesNotMatch(response.body, /no|more/);
      runner.answer = OK;
      const next = await exchange(target);
      assert.equal(next.response.status, 200);
      assert.equal(next.response.body, "ok");
      assert.notEqual(next.seen[0]?.connection, first?.connection);
    });
  }
});

const PERSISTENCE: Record<string, [answer: string, persists: boolean]> = {
  "HTTP/1.1": [OK, true],
  "Connection: close": [
    ok(["Connection: close", "Content-Length: 2"], "ok"),
    false,
  ],
  "Connection: x, Close": [
    ok(["Connection: x", "Connection: Close", "Content-Length: 2"], "ok"),
    false,
  ],
  "HTTP/1.0": [OK.replace("1.1", "1.0"), false],
  "HTTP/1.0 with keep-alive": [
    ok(["Connection: keep-alive", "Content-Length: 2"], "ok")
      .replace("1.1", "1.0"),
    true,
  ],
};

test.choice("a connection persists as the response says (RFC 9112 section 9.3)", async (t) => {
  for (const [name, [answer, persists]] of Object.entries(PERSISTENCE)) {
    await t.step(name, async () => {
      await using target = await startTarget();
      target.runner.answer = answer;
      await exchange(target);
      await exchange(target);
      assert.equal(target.runner.accepted, persists ? 1 : 2);
    });
  }
});

test.choice("a response of status 600 lets its connection go, though more of it is to come (RFC 9112 section 9.6)", async () => {
  await using target = await startTarget();
  using held = holdNext(target.runner);
  using client = await target.connect();
  await client.write(messageOf(target, {}));
  const { stream } = await held.request;
  await stream.write("HTTP/1.1 600 x\r\nContent-Length: 9\r\n\r\n");
  assert.equal((await readResponse(client)).status, 502);
  assert.equal(await stream.readToEnd(), "");
});
