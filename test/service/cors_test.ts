/** Which origins may read previews, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import {
  type Answer,
  BASE,
  DEMO,
  LOCKED,
  type TestGateway,
} from "../support/gateway.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";

const OWN = "http://5173-demo.proxy.localhost";
const OTHER = "https://elsewhere.example";

function grantOf({ headers }: Answer) {
  return {
    origin: headers.get("access-control-allow-origin"),
    credentials: headers.get("access-control-allow-credentials"),
  };
}

test("a public preview can be read from anywhere, with credentials from its own sandbox only", async (startGateway) => {
  await using gateway = await startGateway({
    ALLOWED_ORIGINS: "https://chat.example",
  });
  for (
    const [origin, credentials] of [
      [OWN, "true"],
      ["https://chat.example", "true"],
      [OTHER, null],
      ["http://3000-locked.proxy.localhost", null],
      ["null", null],
    ] as const
  ) {
    const answer = await gateway.send(DEMO, {
      path: "/echo",
      headers: { origin },
    });
    assert.deepEqual(grantOf(answer), { origin, credentials });
    assert.match(answer.headers.get("vary") ?? "", /origin/i);
  }
});

test("our own errors can be read across origins, codes included", async (startGateway) => {
  await using gateway = await startGateway();
  const answer = await gateway.send(LOCKED, { headers: { origin: OTHER } });
  assert.equal(answer.status, 401);
  assert.equal(grantOf(answer).origin, OTHER);
  assert.match(
    answer.headers.get("access-control-expose-headers") ?? "",
    /x-porthole-error/,
  );
});

test("a preflight to a private preview needs no credential, the request after it does", async (startGateway) => {
  await using gateway = await startGateway();
  const preflight = await gateway.send(LOCKED, {
    method: "OPTIONS",
    headers: {
      origin: OTHER,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-daytona-preview-token",
    },
  });
  assert.equal(preflight.status, 204);
  assert.deepEqual(grantOf(preflight), { origin: OTHER, credentials: null });
  assert.equal(preflight.headers.get("access-control-allow-methods"), "PUT");
  const actual = await gateway.send(LOCKED, {
    method: "PUT",
    path: "/echo",
    headers: { origin: OTHER, "x-daytona-preview-token": KEYS.lockedToken },
  });
  assert.equal(actual.status, 200);
  assert.equal(gateway.stack.runner.seen.length, 1);
});

test("an app's own OPTIONS handler is reached", async (startGateway) => {
  await using gateway = await startGateway();
  const plain = await gateway.send(DEMO, { method: "OPTIONS", path: "/echo" });
  assert.equal(plain.json().method, "OPTIONS");
});

test("an app's own answer to a preflight is passed on, unless it says nothing or CORS_MODE is reflect", async (startGateway) => {
  const fields: Record<string, string> = { "x-app": "1" };
  async function ask(mode: string): Promise<Answer> {
    await using gateway = await startGateway({ CORS_MODE: mode });
    const host = await gateway.serve((_, response) => {
      response.writeHead(200, fields).end("body");
    });
    const answer = await gateway.send(host, {
      method: "OPTIONS",
      headers: { origin: OTHER, "access-control-request-method": "PUT" },
    });
    const asked = mode === "reflect" ? 0 : 1;
    assert.equal(gateway.stack.runner.seen.length, asked);
    return answer;
  }
  const ours = await ask("auto");
  assert.deepEqual([ours.status, ours.headers.get("x-app")], [204, null]);
  assert.equal(ours.headers.get("access-control-allow-methods"), "PUT");
  assert.equal(ours.headers.get("cache-control"), "no-store");

  fields["access-control-allow-origin"] = OWN;
  const theirs = await ask("auto");
  assert.deepEqual([theirs.status, theirs.headers.get("x-app")], [200, "1"]);
  assert.equal(grantOf(theirs).origin, OWN);
  assert.equal(grantOf(await ask("reflect")).origin, OTHER);
});

test("an app's answer to a preflight is not read to its end if the gateway answers itself", async (startGateway) => {
  const givenUp = Promise.withResolvers<void>();
  await using gateway = await startGateway();
  const host = await gateway.serve((_, response) => {
    response.on("close", () => givenUp.resolve());
    response.writeHead(200).write("the first of many");
  });
  const answer = await gateway.send(host, {
    method: "OPTIONS",
    headers: { origin: OTHER, "access-control-request-method": "PUT" },
  });
  assert.equal(answer.status, 204);
  await givenUp.promise;
});

test("CORS can be switched off, for all or for one request", async (startGateway) => {
  await using off = await startGateway({ CORS_MODE: "off" });
  const answer = await off.send(DEMO, { headers: { origin: OTHER } });
  assert.equal(grantOf(answer).origin, null);
  const preflight = await off.send(LOCKED, {
    method: "OPTIONS",
    headers: { origin: OTHER, "access-control-request-method": "PUT" },
  });
  assert.equal(preflight.status, 401);
  await using auto = await startGateway();
  const one = await auto.send(DEMO, {
    path: "/echo",
    headers: { origin: OTHER, "x-daytona-disable-cors": "true" },
  });
  assert.equal(grantOf(one).origin, null);
  assert.doesNotMatch(one.body, /disable-cors/);
});

/** An app that answers with these headers alone, on port 8000 of a sandbox. */
function answering(
  gateway: TestGateway,
  headers: Readonly<Record<string, string>>,
  sandbox = "demo",
): Promise<string> {
  return gateway.serve(
    (_, response) => response.writeHead(200, headers).end(),
    sandbox,
  );
}

test("what an app allows everybody, or localhost, counts for the page on another port of its sandbox, with credentials", async (startGateway) => {
  await using gateway = await startGateway();
  for (
    const allowed of [
      "*",
      "http://localhost:5173",
      "https://127.0.0.1:5173",
    ]
  ) {
    const host = await answering(gateway, {
      "access-control-allow-origin": allowed,
      "access-control-expose-headers": "*",
      "x-total": "3",
    });
    for (const method of ["GET", "POST"]) {
      const answer = await gateway.send(host, {
        method,
        headers: { origin: OWN },
      });
      assert.deepEqual(grantOf(answer), { origin: OWN, credentials: "true" });
      assert.match(answer.headers.get("vary") ?? "", /origin/i);
      assert.match(
        answer.headers.get("access-control-expose-headers") ?? "",
        /x-total/,
      );
    }
  }
});

test("a preflight to an app that allows everybody everything allows the page of its sandbox what it asks for", async (startGateway) => {
  await using gateway = await startGateway();
  const host = await answering(gateway, {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
  });
  const answer = await gateway.send(host, {
    method: "OPTIONS",
    headers: {
      origin: OWN,
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  assert.deepEqual(grantOf(answer), { origin: OWN, credentials: "true" });
  assert.equal(answer.headers.get("access-control-allow-methods"), "PATCH");
  assert.equal(
    answer.headers.get("access-control-allow-headers"),
    "authorization,content-type",
  );
});

test("a private app that allows everybody is called by the page of its sandbox with the visitor's credential", async (startGateway) => {
  await using gateway = await startGateway();
  const host = await answering(
    gateway,
    { "access-control-allow-origin": "*" },
    "locked",
  );
  const origin = `http://5173-locked.${BASE}`;
  const answer = await gateway.send(host, {
    headers: { origin, "x-daytona-preview-token": KEYS.lockedToken },
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(grantOf(answer), { origin, credentials: "true" });
});

test("what an app allows stays as it is for all other origins, and for any that it names", async (startGateway) => {
  await using gateway = await startGateway({
    ALLOWED_ORIGINS: "https://chat.example",
  });
  for (
    const [allowed, origin] of [
      ["*", OTHER],
      ["*", "https://chat.example"],
      ["*", `http://5173-locked.${BASE}`],
      ["*", `https://5173-demo.${BASE}`],
      ["http://localhost:51730", OWN],
      ["http://localhost:3000", OWN],
      ["http://localhost:5173@evil.example", OWN],
      ["http://localhost:5173.evil.example", OWN],
      ["http://localhost:5173", "https://chat.example"],
      ["http://localhost:5173", "http://localhost:5173"],
      ["https://elsewhere.example", OWN],
    ] as const
  ) {
    const host = await answering(gateway, {
      "access-control-allow-origin": allowed,
    });
    const answer = await gateway.send(host, { headers: { origin } });
    assert.deepEqual(
      grantOf(answer),
      { origin: allowed, credentials: null },
      `${allowed} to ${origin}`,
    );
  }
});
