/** Signed links end when they end: the API tells neither their end nor their revocation, so it has to be asked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { BASE, startGateway, type TestGateway } from "../support/gateway.ts";

const SIGNED = `3000-${KEYS.signedToken}.${BASE}`;

/** How much later than its end a link may still be accepted, ms. */
const LATE_MS = 5_000;

/** How much later than its end what a link opened may go on, ms. */
const STREAM_LATE_MS = 30_000;

/** When a link that is in use is asked about again, ms after the last time. */
const RENEWAL_MS = 4_000;

const QUESTION = "getSandboxIdFromSignedPreviewUrlToken";

function link({ stack }: TestGateway) {
  const link = stack.api.state.signedTokens.get(KEYS.signedToken);
  assert(link !== undefined);
  return link;
}

/** How a link ends: in time, or because somebody ends it. */
const ENDS = {
  expired(gateway: TestGateway): void {
    Object.assign(link(gateway), { expiresAt: Date.now() });
  },
  "been revoked"(gateway: TestGateway): void {
    link(gateway).revoked = true;
  },
};

async function admits(gateway: TestGateway): Promise<boolean> {
  const { status, code } = await gateway.send(SIGNED, { path: "/echo" });
  assert(status === 200 || code === "signed_token_invalid", String(status));
  return status === 200;
}

for (const [how, end] of Object.entries(ENDS)) {
  Deno.test(`a signed link that has ${how} admits nothing 5 s later, although it was in use all the time`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway();
    for (let ms = 0; ms < 20_000; ms += 500) {
      assert(await admits(gateway));
      clock.pass(500);
    }
    end(gateway);
    for (let ms = 0; ms < LATE_MS; ms += 500) {
      await admits(gateway);
      clock.pass(500);
    }
    assert(!await admits(gateway));
  });

  Deno.test(`what a signed link opened ends at the next check after it has ${how}`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway();
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, [], {
      headers: { host: SIGNED },
    });
    await once(socket, "open");
    await using stream = await gateway.open(
      `GET /sse HTTP/1.1\r\nHost: ${SIGNED}\r\n\r\n`,
    );
    assert.match(await stream.readUntil("\r\n"), / 200 /);
    const closed = once(socket, "close");
    end(gateway);
    clock.pass(STREAM_LATE_MS);
    assert.equal((await closed)[0], 1008);
    await stream.readToEnd();
  });
}

Deno.test("what a signed link opened ends within 30 s, also if the link has been asked about right before a check", async (t) => {
  // Whatever the checks' interval, one of these is right before the first or the second of them.
  for (let ms = 20_100; ms <= 60_000; ms += LATE_MS) {
    await t.step(`after ${ms} ms`, async () => {
      using clock = fakeClock();
      await using gateway = await startGateway();
      await gateway.serve(({ url }, response) => {
        response.writeHead(200).write("part");
        if (url === "/echo") response.end();
      }, "locked");
      const { ports } = gateway.stack.runner.containers.get("locked") ??
        assert.fail("no such container");
      ports.set(3000, ports.get(8000) ?? 0);
      await using stream = await gateway.open(
        `GET / HTTP/1.1\r\nHost: ${SIGNED}\r\n\r\n`,
      );
      await stream.readUntil("part");
      clock.pass(ms);
      assert(await admits(gateway));
      ENDS["been revoked"](gateway);
      for (let late = 0; late < STREAM_LATE_MS; late += 1_000) {
        clock.pass(1_000);
        await gateway.send(BASE, { path: "/health" }); // time to check
      }
      await stream.readToEnd();
    });
  }
});

Deno.test("a signed link that nobody has used for 5 s is asked about before it admits anybody", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  assert(await admits(gateway));
  clock.pass(LATE_MS);
  ENDS["been revoked"](gateway);
  assert(!await admits(gateway));
});

Deno.test("a signed link's requests are answered from memory, and the API is asked in the background", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  await Promise.all(Array.from({ length: 20 }, () => admits(gateway)));
  assert.equal(api.count(QUESTION), 1);
  const held = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  api.fault = async (call, answer) => {
    if (call.operation !== QUESTION) return answer();
    await held.promise;
    answered.resolve();
    return answer();
  };
  clock.pass(RENEWAL_MS);
  for (let i = 0; i < 20; i++) assert(await admits(gateway)); // while the API does not answer
  assert.equal(api.count(QUESTION), 2);
  held.resolve();
  await answered.promise;
});

Deno.test("the 5 s of a signed link begin when the API is asked, not when it answers", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  api.fault = async (call, answer) => {
    const answered = await answer();
    if (call.operation === QUESTION) {
      ENDS["been revoked"](gateway);
      clock.pass(2_000); // on the way back
    }
    return answered;
  };
  assert(await admits(gateway));
  clock.pass(LATE_MS - 2_000);
  assert(!await admits(gateway));
});
