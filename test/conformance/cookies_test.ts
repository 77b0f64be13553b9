/** The app's cookies pass unchanged, and do not mix with the gateway's (RFC 6265bis sections 4 and 5). */
import assert from "node:assert/strict";
import { valuesOf } from "../support/raw_client.ts";
import { assertForwarded, exchange } from "./exchange.ts";
import { ok } from "./raw_runner.ts";
import { startTarget, type Target, test } from "./target.ts";
import { beginHandshake } from "./ws.ts";

/** Cookie fields as clients send them, within the grammar and beyond it. */
const COOKIES: Record<string, string> = {
  "one": "a=1",
  "two of one name": "a=1; a=2",
  "quotes, commas and blanks": 'a="b, c"; d=e f',
  "equals signs": "a=b=c; d==",
  "an empty value": "a=",
  "no name": "=a; b",
  "no blank, and more than one": "a=1;b=2;  c=3",
  "empty pairs": ";;a=1;",
  "percent signs": "a=%zz; b=%3B",
  "UTF-8 and obs-text": "a=caf\xc3\xa9; b=\xe9\xff",
  "a tab": "a=1;\tb=2",
  "prefixes of names": "__Host-a=1; __Secure-b=2; __host-c=3",
  "names with attributes": "$Version=1; a=1; $Path=/",
  "5000 octets": `a=${"b".repeat(5000)}`,
  "a hundred": Array.from({ length: 100 }, (_, i) => `a${i}=${i}`).join("; "),
};

Deno.test("a Cookie field passes octet for octet (RFC 6265bis sections 4.2, 5.8.3)", async (t) => {
  await using target = await startTarget();
  for (const [name, cookie] of Object.entries(COOKIES)) {
    const fields = [`Cookie: ${cookie}`];
    await t.step(
      name,
      () =>
        assertForwarded(target, { fields }, { fields: [`cookie: ${cookie}`] }),
    );
    await t.step(`${name}, by WebSocket`, async () => {
      using opening = await beginHandshake(target, fields);
      assert.deepEqual(valuesOf(opening.app.fields, "cookie"), [cookie]);
    });
  }
});

/** Set-Cookie lines, within the grammar and beyond it. */
const SET_COOKIES: Record<string, string> = {
  "every attribute": "a=1; Expires=Sat, 29 Oct 1994 19:43:31 GMT; Max-Age=60;" +
    " Path=/x; Secure; HttpOnly; SameSite=Lax; Partitioned",
  "no attribute": "a=1",
  "no name": "=a",
  "only a value": "a",
  "an empty value": "a=",
  "quotes and commas": 'a="b, c"',
  "obs-text": "a=caf\xe9\xff",
  "a prefix of the name": "__Host-a=1; Secure; Path=/",
  "attributes in odd cases, twice and unknown":
    "a=1;PATH=/;path=/b;;x=y; SameSite=odd",
  "a negative age": "a=; Max-Age=-1",
  "5000 octets": `a=${"b".repeat(5000)}`,
};

/** The Set-Cookie lines that reach a client if an app sends these. */
async function received(
  target: Target,
  ...sent: readonly string[]
): Promise<string[]> {
  const lines = sent.map((line) => `Set-Cookie: ${line}`);
  target.runner.answer = ok([...lines, "Content-Length: 0"]);
  const { response } = await exchange(target);
  assert.equal(response.status, 200);
  return valuesOf(response.fields, "set-cookie");
}

Deno.test("a Set-Cookie line passes octet for octet, one by one and in order (RFC 6265bis sections 3, 4.1)", async (t) => {
  await using target = await startTarget();
  for (const [name, line] of Object.entries(SET_COOKIES)) {
    await t.step(name, async () => {
      assert.deepEqual(await received(target, line), [line]);
    });
  }
  await t.step("all of them, twice", async () => {
    const lines = Object.values(SET_COOKIES);
    const twice = [...lines, ...lines];
    assert.deepEqual(await received(target, ...twice), twice);
  });
});

test.choice("a Domain that would take a cookie to other sandboxes is left out, one within the app's host passes (RFC 6265bis sections 4.1.2.3, 5.6.3)", async (t) => {
  await using target = await startTarget();
  const { host } = target;
  const base = host.slice(host.indexOf(".") + 1);
  for (
    const domain of [
      base,
      `.${base}`,
      base.toUpperCase(),
      `${base}.`,
      base.slice(base.indexOf(".") + 1),
    ]
  ) {
    await t.step(domain, async () => {
      const line = `a=1; Domain=${domain}; Path=/`;
      assert.deepEqual(await received(target, line), ["a=1; Path=/"]);
    });
  }
  for (const domain of [host, `.${host}`, `x.${host}`]) {
    await t.step(domain, async () => {
      const line = `a=1; Domain=${domain}; Path=/`;
      assert.deepEqual(await received(target, line), [line]);
    });
  }
});

/** Names of cookies of the gateway and of Daytona's proxy. */
const OWN_NAMES: readonly string[] = [
  "porthole-x",
  "__Host-porthole-x",
  "__secure-Porthole-x",
  "daytona-sandbox-auth-demo",
  "daytona-preview-page-accepted",
];

test.choice("a cookie by a name of the gateway's passes in neither direction (RFC 6265bis sections 5.7, 8.6)", async (t) => {
  await using target = await startTarget();
  for (const own of OWN_NAMES) {
    await t.step(`${own} to the app`, () =>
      assertForwarded(
        target,
        { fields: [`Cookie: ${own}=1; a="b";  c; ${own}=2;d=1;${own}`] },
        { fields: ['cookie: a="b";  c;d=1'] },
      ));
    await t.step(
      `${own} alone to the app`,
      () => assertForwarded(target, { fields: [`Cookie: ${own}=1`] }, {}),
    );
    await t.step(`${own} from the app`, async () => {
      const lines = [`${own}=1; Path=/`, "a=1", `=${own}=1`, ` ${own} =1`];
      assert.deepEqual(await received(target, ...lines), ["a=1"]);
    });
  }
});
