/** What apps are told of their visitors, tested on the complete service by what an app can verify. */
import assert from "node:assert/strict";
import { viaOf } from "../../../support/feature_words.ts";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../../../support/gateway.ts";
import { grantOf, withGrants } from "../../../support/grants.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { type StartGateway, WORLDS } from "../../../support/worlds.ts";
import { accepted, handshake, withApp } from "../../told_app.ts";
import {
  KEYS_PATH,
  label,
  startIdentityGateway,
  tokenIn,
  told,
} from "./identity_gateway.ts";

const GRANTS = withGrants();

const PREVIEW_TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

for (const { suffix, startGateway: startIn, memberKey } of WORLDS) {
  const start: StartGateway = (environment) =>
    startIdentityGateway(startIn, environment);
  const member = { authorization: `Bearer ${memberKey}` };

  Deno.test(`an app learns by what its visitor came, and verifies that by the published keys alone${suffix}`, async () => {
    await using gateway = await start();
    GRANTS.grants.set("tg_good", grantOf());
    for (
      const [via, headers] of [
        ["bearer", member],
        ["preview_token", PREVIEW_TOKEN],
        ["token", { "x-porthole-token": "tg_good" }],
      ] as const
    ) {
      const answer = await gateway.send(LOCKED, { path: "/echo", headers });
      assert.equal(answer.status, 200, answer.body);
      const { sub, exp = 0, iat = 0, ...rest } = await told(
        gateway,
        tokenIn(answer),
      );
      assert.match(sub ?? "", /^[A-Za-z0-9_-]{43}$/);
      assert.equal(exp - iat, 60);
      assert.deepEqual(rest, {
        iss: `http://${BASE}`,
        aud: "locked",
        port: 3000,
        via,
      });
    }
  });

  Deno.test(`the keys are on base hosts only, for caches, and without a private part${suffix}`, async () => {
    await using gateway = await start();
    const answer = await gateway.send(BASE, { path: KEYS_PATH });
    assert.equal(answer.headers.get("cache-control"), "public, max-age=300");
    const { keys } = answer.json();
    assert(Array.isArray(keys) && keys.length === 1);
    assert.deepEqual(Object.keys(keys[0]).sort(), [
      "alg",
      "crv",
      "kid",
      "kty",
      "use",
      "x",
      "y",
    ]);
    const head = { path: KEYS_PATH, method: "HEAD" };
    const { status, body, headers } = await gateway.send(BASE, head);
    assert.deepEqual([status, body], [200, ""]);
    for (const name of ["content-length", "content-type", "cache-control"]) {
      assert.equal(headers.get(name), answer.headers.get(name), name);
    }
    assert.equal(headers.get("content-length"), `${answer.body.length}`);
    const elsewhere = await gateway.send("elsewhere.test", { path: KEYS_PATH });
    assert.equal(elsewhere.status, 404);
    await gateway.send(LOCKED, { path: KEYS_PATH, headers: PREVIEW_TOKEN });
    const seen = gateway.stack.runner.seen.at(-1)?.target ?? "";
    assert(seen.endsWith(KEYS_PATH), "on a preview host, it is the app's");
  });

  Deno.test(`an app is told nothing unless both operator and owner say so, nor of the anonymous${suffix}`, async () => {
    for (
      const [environment, value] of [
        [{ IDENTITY: "off" }, "on"],
        [{}, "off"],
        [{}, "true"],
      ] as const
    ) {
      await using gateway = await start(environment);
      label(gateway, "locked", value);
      const headers = PREVIEW_TOKEN;
      const answer = await gateway.send(LOCKED, { path: "/echo", headers });
      assert.equal(tokenIn(answer), undefined, value);
    }
    await using gateway = await start();
    label(gateway, "demo");
    for (const headers of [{}, member, { cookie: "porthole-login-x=1" }]) {
      const answer = await gateway.send(DEMO, { path: "/echo", headers });
      assert.equal(answer.status, 200);
      assert.equal(tokenIn(answer), undefined);
    }
  });

  Deno.test(`a WebSocket's handshake tells the app, too${suffix}`, async () => {
    await withApp(start, accepted, async (gateway, seen) => {
      const host = `8000-locked.${BASE}`;
      const { status } = await handshake(gateway, PREVIEW_TOKEN, { host });
      assert.equal(status, 101);
      const token = seen.at(-1)?.headers.get("x-porthole-identity");
      const { port, via } = await told(gateway, token);
      assert.deepEqual([port, via], [8000, "preview_token"]);
    });
  });

  Deno.test(`what a sandbox is told opens nothing at the gateway, and is not for another sandbox${suffix}`, async () => {
    await using gateway = await start();
    const echo = { path: "/echo", headers: member };
    const token = tokenIn(await gateway.send(LOCKED, echo)) ?? "";
    await assert.rejects(told(gateway, token, { sandboxId: "demo" }), /aud/);
    for (
      const headers of [
        { authorization: `Bearer ${token}` },
        { "x-porthole-token": token },
        { "x-daytona-preview-token": token },
        { "x-porthole-identity": token },
        { cookie: `porthole-session=${token}; porthole-grant=${token}` },
      ]
    ) {
      const { status } = await gateway.send(LOCKED, { ...echo, headers });
      assert.equal(status, 401, JSON.stringify(headers));
    }
  });

  Deno.test(`a page's hundred requests have one token, and no further question to the API${suffix}`, async () => {
    await using gateway = await start();
    const echo = { path: "/echo", headers: member };
    const first = tokenIn(await gateway.send(LOCKED, echo));
    assert(first !== undefined);
    const { calls } = gateway.stack.api;
    const questions = () =>
      calls.filter(({ operation }) => operation !== "updateLastActivity");
    const asked = questions().length;
    const others = await Promise.all(
      Array.from({ length: 100 }, () => gateway.send(LOCKED, echo)),
    );
    assert.deepEqual(new Set(others.map(tokenIn)), new Set([first]));
    assert.equal(questions().length, asked);
  });
}

/** Names that a server might take for the header's, and values that it might take for one of ours. */
function* spellings(): Iterable<[name: string, value: string]> {
  const words = ["x", "porthole", "identity"];
  let count = 0;
  for (const one of "-_.+~") {
    for (const other of "-_.|'") {
      const [x = "", porthole = "", identity = ""] = words.map((word) =>
        [...word].map((letter) => count++ % 2 ? letter.toUpperCase() : letter)
          .join("")
      );
      yield [`${x}${one}${porthole}${other}${identity}`, "evil"];
    }
  }
  yield ["x-porthole-identity", "evil, evil"];
  yield ["X-PORTHOLE-IDENTITY", "evil"];
  yield ["X_PORTHOLE_IDENTITY", "evil"];
  yield ["x-porthole-Identity", "evil.evil.evil"];
  yield ["X-Porthole-Identity", ""];
}

Deno.test("a client's own header never arrives, in thirty spellings, repeated, or named in Connection", async () => {
  await using gateway = await startIdentityGateway(startGateway);
  label(gateway, "demo");
  const all = [...spellings()];
  assert(new Set(all.map(([name]) => name)).size >= 30);
  for (
    const [host, admitted] of [[DEMO, {}], [LOCKED, PREVIEW_TOKEN]] as const
  ) {
    for (const [name, value] of all) {
      const more: Record<string, string>[] = [
        {},
        { connection: `close, ${name}` },
      ];
      for (const fields of more) {
        const headers = { ...admitted, ...fields, [name]: value };
        const answer = await gateway.send(host, { path: "/echo", headers });
        assert.equal(answer.status, 200, answer.body);
        assert.doesNotMatch(answer.body, /evil/, name);
        const token = tokenIn(answer);
        if (host === DEMO) assert.equal(token, undefined, name);
        else await told(gateway, token);
      }
    }
  }
  using stream = await gateway.open(
    `GET /echo HTTP/1.1\r\nHost: ${DEMO}\r\nX-Porthole-Identity: evil\r\n` +
      "x-porthole-identity: evil\r\nX_Porthole_Identity: evil\r\nConnection: close\r\n\r\n",
  );
  const answer = await stream.readToEnd();
  assert.match(answer, /^HTTP\/1.1 200/);
  assert.doesNotMatch(answer, /evil/);
});

Deno.test("at one's own Daytona, who came by a signed link is told from others", async () => {
  await using gateway = await startIdentityGateway(startGateway);
  const host = `3000-${KEYS.signedToken}.${BASE}`;
  const answer = await gateway.send(host, { path: "/echo" });
  const { via, aud, sub } = await told(gateway, tokenIn(answer));
  assert.deepEqual([via, aud], ["signed", "locked"]);
  const headers = PREVIEW_TOKEN;
  const other = await gateway.send(LOCKED, { path: "/echo", headers });
  assert.notEqual((await told(gateway, tokenIn(other))).sub, sub);
});

Deno.test("behind somebody else's Daytona, nobody tells whose sandbox a signed link leads to, and so nothing is told", async () => {
  await using gateway = await startIdentityGateway(startHostedGateway);
  const host = `3000-${KEYS.signedToken}.${BASE}`;
  const answer = await gateway.send(host, { path: "/echo" });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(tokenIn(answer), undefined);
});

Deno.test("two grants are two visitors, and a grant is the same one whenever it comes", async () => {
  await using gateway = await startIdentityGateway(startGateway);
  GRANTS.grants.set("tg_one", grantOf({ id: "one" }));
  GRANTS.grants.set("tg_two", grantOf({ id: "two", via: viaOf("ticket") }));
  const subs: (string | undefined)[] = [];
  for (const secret of ["tg_one", "tg_two", "tg_one"]) {
    const headers = { "x-porthole-token": secret };
    const answer = await gateway.send(LOCKED, { path: "/echo", headers });
    subs.push((await told(gateway, tokenIn(answer))).sub);
  }
  assert.equal(subs[0], subs[2]);
  assert.notEqual(subs[0], subs[1]);
});

Deno.test("gateways that share their records sign by the same keys, and call visitors the same", async () => {
  await using records = await recordsFile();
  const { environment } = records;
  await using one = await startIdentityGateway(startGateway, environment);
  await using other = await startIdentityGateway(startGateway, environment);
  const echo = { path: "/echo", headers: PREVIEW_TOKEN };
  const [ofOne, ofOther] = await Promise.all([
    one.send(LOCKED, echo),
    other.send(LOCKED, echo),
  ]);
  const { sub } = await told(other, tokenIn(ofOne));
  assert.equal((await told(one, tokenIn(ofOther))).sub, sub);
});

Deno.test("visitors keep their names, and keys their use, while another secret takes the place of the first", async () => {
  await using records = await recordsFile();
  const names = new Set<string | undefined>();
  const keys = new Set<string>();
  const [former, next] = ["o".repeat(40), "n".repeat(40)];
  for (
    const secrets of [
      [former],
      [former, next],
      [next, former],
      [next],
    ]
  ) {
    await using gateway = await startIdentityGateway(startGateway, {
      ...records.environment,
      SESSION_SECRETS: secrets.join(","),
    });
    if (secrets.length > 1) continue; // though nobody comes in between
    const echo = { path: "/echo", headers: PREVIEW_TOKEN };
    const answer = await gateway.send(LOCKED, echo);
    names.add((await told(gateway, tokenIn(answer))).sub);
    keys.add((await gateway.send(BASE, { path: KEYS_PATH })).body);
  }
  assert.deepEqual([names.size, keys.size], [1, 1]);
});

Deno.test("the issuer is the base domain with the port that is configured, whatever a client's Host says", async () => {
  for (
    const [environment, issuer] of [
      [{}, `http://${BASE}`],
      [{ PROXY_DOMAIN: `${BASE}:4000` }, `http://${BASE}:4000`],
      [{ PROXY_DOMAIN: `other.test,${BASE}:81` }, `http://${BASE}:81`],
    ] as const
  ) {
    await using gateway = await startIdentityGateway(startGateway, environment);
    for (const host of [LOCKED, `${LOCKED}:9999`, LOCKED.toUpperCase()]) {
      const headers = PREVIEW_TOKEN;
      const answer = await gateway.send(host, { path: "/echo", headers });
      const { iss } = await told(gateway, tokenIn(answer), { issuer });
      assert.equal(iss, issuer);
    }
  }
});

Deno.test("without a place for records there are no keys, and so nobody is told of, which the start says", async () => {
  for (const location of ["none", "kv::memory:"]) {
    await using gateway = await startIdentityGateway(startGateway, {
      RECORDS_URL: location,
    });
    const { status } = await gateway.send(BASE, { path: KEYS_PATH });
    assert.equal(status, 404);
    const headers = PREVIEW_TOKEN;
    const answer = await gateway.send(LOCKED, { path: "/echo", headers });
    assert.equal(tokenIn(answer), undefined);
    const ready = await gateway.send(BASE, { path: "/ready" });
    assert.match(ready.body, /"records":"failing"/);
  }
});

Deno.test("Daytona's own services are told of nobody", async () => {
  await using gateway = await startIdentityGateway(startHostedGateway);
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  const host = `22222-locked.${BASE}`;
  await gateway.send(host, { path: "/echo", headers });
  const seen = JSON.stringify(gateway.stack.hosted.seen.at(-1));
  assert.doesNotMatch(seen, /x-porthole-identity/i);
});
