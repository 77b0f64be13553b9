import assert from "node:assert/strict";
import {
  cookiePaths,
  PlantedCookies,
  type TooLargeRequest,
} from "../../../src/auth/planted_cookies.ts";
import type { LoginSession } from "../../../src/auth/session.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const COOKIES = ownCookies();
const LOGIN = COOKIES.loginSession("box");
const SESSION: LoginSession = {
  kind: "login",
  id: "id",
  sandboxId: "box",
  expiresAt: 1,
};

/** A host below the base domain `p.test`, or at a name. */
function hostAt(name?: string, base = "p.test"): TooLargeRequest["host"] {
  return {
    port: 3000,
    label: "box",
    base,
    authoritySuffix: `${base}:8443`,
    ...name !== undefined && { name: `${name}:8443` },
  };
}

/** The cookies that a refusal deletes, each as its line without what all of them end in. */
async function relief(
  cookie: string,
  request: Partial<TooLargeRequest> = {},
  { scheme = "https", end = "; Max-Age=0; Secure" } = {},
): Promise<string[]> {
  const isSecure = scheme === "https";
  const headers = await new PlantedCookies({
    scheme: isSecure ? "https" : "http",
    cookies: COOKIES,
    sessions: {
      open: (sealed) =>
        Promise.resolve(sealed === "sealed" ? SESSION : undefined),
    },
  }).headersFor({ cookie, target: "/", host: hostAt(), ...request });
  return headers.map(([name, line]) => {
    assert.equal(name, "set-cookie");
    assert(line.endsWith(end), line);
    return line.slice(0, line.length - end.length);
  });
}

/** Cookies by names that take most of a request, and small ones. */
const LARGE = `large=${"x".repeat(4000)}`;

Deno.test("a relief deletes whatever was set for all previews, the largest first, and elsewhere the largest only (S5)", async () => {
  assert.deepEqual(await relief(`small=1; ${LARGE}; =nameless; alone`), [
    "large=; Domain=p.test; Path=/",
    "=0; Domain=p.test; Path=/",
    "small=; Domain=p.test; Path=/",
    "large=; Path=/",
    "large=; Domain=3000-box.p.test; Path=/",
  ]);
});

Deno.test("a relief deletes as many of the app's own cookies as make up most of a request, so that the next is small (S5)", async () => {
  const pairs = Array.from(
    { length: 40 },
    (_, i) => `c${i}=${"x".repeat(800 + i)}`,
  );
  const own = (await relief(pairs.join("; ")))
    .filter((line) => !line.includes("Domain="))
    .map((line) => line.split("=")[0] ?? "");
  const left = pairs.filter((pair) => !own.includes(pair.split("=")[0] ?? ""));
  assert(left.join("; ").length < pairs.join("; ").length / 4);
  assert(left.length > 5, "and no more than that");
  assert.equal(left[0], pairs[0], "the smallest stay");
});

Deno.test("a relief keeps the logins that we sealed, and deletes cookies that only bear their names (S5)", async () => {
  const other = COOKIES.loginSession("other");
  const long = "x".repeat(4000);
  const own = "__Host-a"; // the app's
  assert.deepEqual(
    await relief(
      `${LOGIN}=${long}; ${LOGIN}=sealed; ${other}=planted; ${own}=${long}`,
      { target: "/deep" },
    ),
    [
      `${other}=; Domain=p.test; Path=/`,
      `${own}=; Path=/`,
      `${LOGIN}=; Domain=p.test; Path=/deep`,
      `${other}=; Domain=p.test; Path=/deep`,
      `${own}=; Path=/deep`,
    ],
  );
});

Deno.test("at a name, a relief deletes what was set for the domain that the name is below, and for the name itself (S5)", async () => {
  for (
    const [name, parent] of [
      ["shop.p.test", "p.test"],
      ["app.customer.example", "customer.example"],
    ]
  ) {
    assert.deepEqual(await relief("a=1", { host: hostAt(name) }), [
      `a=; Domain=${parent}; Path=/`,
      "a=; Path=/",
      `a=; Domain=${name}; Path=/`,
    ]);
  }
});

Deno.test("a relief deletes what was set for any domain that the host is below, but above the base domain the largest only (S5)", async () => {
  for (
    const [host, within, above = []] of [
      [hostAt("shop.apps.p.test"), ["apps.p.test", "p.test"]],
      [hostAt("shop.p.test", "preview.p.test"), ["p.test"]],
      [hostAt(undefined, "preview.p.test"), ["preview.p.test"], ["p.test"]],
      [
        hostAt("app.dept.customer.example"),
        ["dept.customer.example"],
        ["customer.example"],
      ],
      [hostAt(undefined, "localhost"), ["localhost"]],
      [
        hostAt("a.b.c.d.e.f.g.p.test"),
        [
          "b.c.d.e.f.g.p.test",
          "c.d.e.f.g.p.test",
          "d.e.f.g.p.test",
          "e.f.g.p.test",
          "f.g.p.test",
        ],
      ],
    ] as const
  ) {
    const lines = await relief(`small=1; ${LARGE}`, { host });
    const domains = (name: string) =>
      lines.filter((line) => line.startsWith(`${name}=; Domain=`))
        .map((line) => line.split(/[=;]/)[3]);
    assert.deepEqual(domains("small"), within);
    assert.deepEqual(domains("large").slice(0, -1), [...within, ...above]);
  }
});

Deno.test("a relief over http sets no attribute that browsers refuse there", async () => {
  const http = { scheme: "http", end: "; Path=/; Max-Age=0" };
  assert.deepEqual(await relief("a=1", {}, http), [
    "a=; Domain=p.test",
    "a=",
    "a=; Domain=3000-box.p.test",
  ]);
});

Deno.test("a relief is bounded in size, whatever the request (S5)", async () => {
  const long = Array.from({ length: 12 }, (_, i) => "n".repeat(4000) + i);
  const many = Array.from({ length: 20_000 }, (_, i) => i.toString(36));
  for (const names of [long, many]) {
    const lines = await relief(
      names.map((name) => `${name}=`).join(";"),
      { target: "/a".repeat(10_000) },
      { end: "" },
    );
    const bytes = lines.reduce((sum, line) => sum + line.length + 14, 0);
    assert(bytes <= 16 * 1024 && bytes > 11 * 1024, `${bytes}`);
  }
});

Deno.test("cookiePaths() lists the paths of which a request sends cookies", () => {
  for (
    const [target, paths] of [
      ["/", ["/"]],
      ["/?/a", ["/"]],
      ["/a/", ["/", "/a", "/a/"]],
      ["/a/b.html?c", ["/", "/a", "/a/", "/a/b.html"]],
      ["/1/2/3/4/5", [
        "/",
        "/1",
        "/1/",
        "/1/2",
        "/1/2/",
        "/1/2/3",
        "/1/2/3/",
        "/1/2/3/4",
        "/1/2/3/4/",
      ]],
      // What would end the attribute, or begin another one, is left out.
      ["/a;Domain=evil.test/b", ["/"]],
      ["/a/%20;b", ["/", "/a", "/a/"]],
      ["//a", ["/"]],
      ["*", ["/"]],
    ] as const
  ) assert.deepEqual(cookiePaths(target), paths, target);
});
