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

test("a refusal for too many cookies deletes those set for all previews, and the large ones wherever they are (S5)", async (startGateway) => {
  await using gateway = await startGateway();
  const cookie = [...PLANTED, "theme=dark"].join("; ");
  const refused = await gateway.send(DEMO, {
    headers: { ...NAVIGATION, cookie },
  });
  assert.equal(refused.status, 431);
  assert.equal(refused.code, "head_too_large");
  const lines = deleted(refused);
  const ofAll = `; Domain=${BASE}; Path=/`;
  assert.deepEqual(lines.filter((line) => line.endsWith(ofAll)), [
    ...PLANTED.map((_, i) => `planted-${i}=${ofAll}`),
    `theme=${ofAll}`,
  ]);
  const others = lines.filter((line) => !line.endsWith(ofAll));
  assert(others.length > 0 && others.every((line) => /^planted-/.test(line)));
  assert.equal(refused.headers.has("clear-site-data"), false);
  assert(refused.body.includes(`href="http://${BASE}/logout"`));
  // A browser keeps what has no domain, so the app's own is still there.
  const next = await gateway.send(DEMO, {
    path: "/echo",
    headers: { cookie: "theme=dark" },
  });
  assert.equal(next.status, 200);
  assert.equal(next.echoed().get("cookie"), "theme=dark");
});

/** A browser's cookies by name, domain and path, of a request at the root of the preview. */
class Jar {
  readonly #values = new Map<string, string>();

  add(name: string, where: string, value: string): void {
    this.#values.set(`${name}=${where}`, value);
  }

  get header(): string {
    return [...this.#values].map(([key, value]) =>
      `${key.slice(0, key.indexOf("="))}=${value}`
    ).join("; ");
  }

  apply(lines: readonly string[]): void {
    for (const line of lines) this.#values.delete(line);
  }
}

test("one refusal is enough for large cookies, wherever they were set, and for small ones of all previews, and takes no small one of the app (S5)", async (startGateway) => {
  await using gateway = await startGateway();
  const domain = `; Domain=${BASE}; Path=/`;
  for (
    const [count, bytes, where] of [
      [9, 4080, domain],
      [9, 4080, "; Path=/"],
      [9, 4080, `; Domain=${DEMO}; Path=/`],
      [180, 200, domain],
    ] as const
  ) {
    const jar = new Jar();
    jar.add("theme", "; Path=/", "dark");
    for (let i = 0; i < count; i++) {
      jar.add(`planted-${i}`, where, "x".repeat(bytes));
    }
    const visit = () =>
      gateway.send(DEMO, { headers: { ...NAVIGATION, cookie: jar.header } });
    const refused = await visit();
    assert.equal(refused.status, 431);
    assert.equal(refused.headers.has("clear-site-data"), false);
    jar.apply(deleted(refused));
    // Many apps take heads of 16 KiB only, and this one does.
    assert.equal((await visit()).status, 200, `${count} of ${bytes}`);
    assert.match(jar.header, /\btheme=dark\b/);
  }
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
