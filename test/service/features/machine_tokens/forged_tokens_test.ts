/** Machine tokens that nobody has made, and places where the app must not see one, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { DEMO, LOCKED, startGateway } from "../../../support/gateway.ts";
import { makeToken, startTokenGateway } from "./token_gateway.ts";

const FORGED = 10_000;
const AT_ONCE = 50;

function forged(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `pp_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

Deno.test("ten thousand forged tokens cost no call of the API, and lock nobody out", async () => {
  await using gateway = await startTokenGateway(startGateway, {
    TRUSTED_PROXIES: "127.0.0.1",
    REFUSALS_PER_MINUTE: "100",
  });
  const { token } = await makeToken(gateway, KEYS.user);
  function open(secret: string, client: string) {
    const headers = { "x-porthole-token": secret, "x-forwarded-for": client };
    return gateway.send(LOCKED, { path: "/echo", headers });
  }
  assert.equal((await open(token, "192.0.2.1")).status, 200);
  const calls = gateway.stack.api.calls.length;
  const codes = new Map<string | null, number>();
  for (let sent = 0; sent < FORGED; sent += AT_ONCE) {
    const answers = await Promise.all(
      Array.from(
        { length: AT_ONCE },
        (_, i) => open(forged(), i % 2 === 0 ? "192.0.2.2" : `198.51.100.${i}`),
      ),
    );
    for (const { code } of answers) {
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  assert.equal(gateway.stack.api.calls.length, calls);
  const expected = ["grant_invalid", "too_many_lookups", "too_many_refusals"];
  for (const code of codes.keys()) {
    assert(expected.includes(String(code)), String(code));
  }
  assert((codes.get("too_many_refusals") ?? 0) > FORGED / 2);
  for (const client of ["192.0.2.1", "192.0.2.2", "203.0.113.9"]) {
    assert.equal((await open(token, client)).status, 200, client);
  }
});

/** A source of bits that is the same in every run (a linear congruential generator). */
function bits(): () => boolean {
  let state = 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state > 2 ** 30;
  };
}

/** Spellings of a name that gateways and apps take for the same one, by what is done to each character. */
function spellings(
  name: string,
  count: number,
  respell: (character: string) => string,
): string[] {
  const bit = bits();
  return Array.from(
    { length: count },
    () => [...name].map((it) => bit() ? respell(it) : it).join(""),
  );
}

function otherCase(character: string): string {
  if (character === "-" || character === "_") return "_";
  return character.toUpperCase();
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}

Deno.test("the app sees no token in a thousand spellings of its header and its parameter", async () => {
  await using gateway = await startTokenGateway(startGateway);
  const { token } = await makeToken(gateway, KEYS.user);
  const requests = [
    ...spellings("x-porthole-token", 500, otherCase).map((name) => ({
      path: "/echo?a=1",
      headers: { [name]: token },
    })),
    ...spellings("porthole_token", 500, percentEncoded).map((name) => ({
      path: `/echo?a=1&${name}=${token}`,
    })),
  ];
  for (const request of requests) {
    const name = JSON.stringify(request);
    const { status, body } = await gateway.send(DEMO, request);
    assert.equal(status, 200, name);
    assert(!body.includes(token.slice(3)), name);
    assert.doesNotMatch(body, /porthole.token/i, name);
  }
});
