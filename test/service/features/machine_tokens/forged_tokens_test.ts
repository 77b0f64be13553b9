/** Machine tokens that nobody has made, and places where the app must not see one, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { DEMO, LOCKED, startGateway } from "../../../support/gateway.ts";
import { makeToken, startTokenGateway } from "./token_gateway.ts";

/** So many tokens are sent on each connection, and by so many clients. */
const ON_EACH = 500;
const CLIENTS = 20;

function forged(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `pp_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

Deno.test("ten thousand forged tokens cost no call of the API, and lock nobody else out", async () => {
  using _ = fakeClock(); // no budget is refilled
  using background = backgroundWork();
  await using gateway = await startTokenGateway(startGateway, {
    TRUSTED_PROXIES: "127.0.0.1",
    REFUSALS_PER_MINUTE: "100",
  });
  const { token } = await makeToken(gateway, KEYS.user);
  async function isOpen(client: string): Promise<boolean> {
    const headers = { "x-porthole-token": token, "x-forwarded-for": client };
    return (await gateway.send(LOCKED, { headers })).status === 200;
  }
  assert(await isOpen("192.0.2.1"));
  const { api } = gateway.stack;
  await background.settled(); // the report of its use
  const before = api.calls.length;

  /** Sends forged tokens of one client, and returns the codes of the answers. */
  async function attack(client: string): Promise<string[]> {
    const requests = Array.from(
      { length: ON_EACH },
      (_, i) =>
        `GET / HTTP/1.1\r\nHost: ${LOCKED}\r\nX-Forwarded-For: ${client}\r\n` +
        `X-Porthole-Token: ${forged()}\r\n` +
        `${i === ON_EACH - 1 ? "Connection: close\r\n" : ""}\r\n`,
    );
    using stream = await gateway.open(requests.join(""));
    const answers = await stream.readToEnd();
    return [...answers.matchAll(/^x-porthole-error: (.*?)\r$/gim)]
      .map(([, code = ""]) => code);
  }

  const clients = Array.from({ length: CLIENTS }, (_, i) => `192.0.2.${i + 2}`);
  const codes = (await Promise.all(clients.map(attack))).flat();
  assert.equal(codes.length, ON_EACH * CLIENTS);
  const counts = Map.groupBy(codes, (code) => code);
  const allowed = ["grant_invalid", "too_many_refusals"];
  assert.deepEqual([...counts.keys()].sort(), allowed);
  assert((counts.get("grant_invalid")?.length ?? 0) <= 110 * CLIENTS);
  assert.equal(api.calls.length, before);
  for (const client of ["192.0.2.1", "192.0.2.2", "203.0.113.9"]) {
    assert(await isOpen(client), client);
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
