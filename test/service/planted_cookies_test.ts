/** Cookies that a script has set for all previews: they lock nobody out of them (S5). */
import assert from "node:assert/strict";
import { BASE, DEMO } from "../support/gateway.ts";
import type { Answer } from "../support/send.ts";
import { testInBothWorlds as test } from "../support/worlds.ts";

/** What the script of a hostile preview sets with `domain=proxy.localhost`: nine cookies of 4 KB each. */
const PLANTED = Array.from(
  { length: 9 },
  (_, i) => `planted-${i}=${"x".repeat(4080)}`,
);

const NAVIGATION = { "sec-fetch-mode": "navigate", accept: "text/html" };

/** The cookies that an answer deletes, each as its name, domain and path. */
function deleted({ headers }: Answer): string[] {
  return headers.getSetCookie().filter((line) => /; Max-Age=0/.test(line))
    .map((line) => line.replace(/; Max-Age=0.*/, ""));
}

test("a refusal for too many cookies deletes those set for all previews, and no other (S5)", async (startGateway) => {
  await using gateway = await startGateway();
  const cookie = [...PLANTED, "theme=dark"].join("; ");
  const refused = await gateway.send(DEMO, {
    headers: { ...NAVIGATION, cookie },
  });
  assert.equal(refused.status, 431);
  assert.equal(refused.code, "head_too_large");
  assert.deepEqual(deleted(refused), [
    ...PLANTED.map((_, i) => `planted-${i}=; Domain=${BASE}; Path=/`),
    `theme=; Domain=${BASE}; Path=/`,
  ]);
  assert.equal(refused.headers.has("clear-site-data"), false);
  assert(refused.body.includes(`href="http://${BASE}/logout"`));
  // A browser keeps what has no domain, so the app's own is still there.
  const next = await gateway.send(DEMO, {
    path: "/echo",
    headers: { cookie: "theme=dark; porthole-cookie-reliefs=1" },
  });
  assert.equal(next.status, 200);
  assert.equal(next.echoed().get("cookie"), "theme=dark");
});

test("a browser that stays over the limit is told to delete everything at the third refusal (S5)", async (startGateway) => {
  await using gateway = await startGateway();
  const seen: (string | null)[] = [];
  let memory = "";
  for (let load = 0; load < 3; load++) {
    const cookie = [...PLANTED, memory].join("; ");
    const { headers } = await gateway.send(DEMO, {
      headers: { ...NAVIGATION, cookie },
    });
    memory = headers.getSetCookie()[0]?.split(";")[0] ?? "";
    seen.push(headers.get("clear-site-data"));
  }
  assert.deepEqual(seen, [null, null, '"cookies"']);
});

test("a head that is too large without its cookies as well deletes none", async (startGateway) => {
  await using gateway = await startGateway();
  for (
    const headers of [
      { cookie: PLANTED.slice(0, 5).join("; "), "x-long": "x".repeat(33_000) },
      { "x-long": "x".repeat(33_000) },
    ]
  ) {
    const refused = await gateway.send(DEMO, { headers });
    assert.equal(refused.status, 431);
    assert.deepEqual(refused.headers.getSetCookie(), []);
    assert.doesNotMatch(refused.body, /logout/);
  }
});

test("the logout page deletes all cookies of a browser if its user says so, and only then", async (startGateway) => {
  await using gateway = await startGateway();
  const base = `${BASE}:${gateway.port}`;
  for (
    const [body, clears] of [
      ["cookies=delete", '"cookies"'],
      ["", null],
      ["sandbox=demo", null],
    ] as const
  ) {
    const { status, headers, body: page } = await gateway.send(base, {
      method: "POST",
      path: "/logout",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "content-length": String(body.length),
        "origin": `http://${base}`,
        "cookie": PLANTED.join("; "),
      },
      body,
    });
    assert.equal(status, 200);
    assert.equal(headers.get("clear-site-data"), clears);
    // The mark by which it would is among the cookies.
    assert.equal(/login here asks for an account/.test(page), clears === null);
  }
});
