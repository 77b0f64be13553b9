import assert from "node:assert/strict";
import {
  cookiePaths,
  PlantedCookies,
  type TooLargeRequest,
} from "../../../src/auth/planted_cookies.ts";
import { OwnCookies } from "../../../src/auth/own_cookies.ts";
import type { LoginSession } from "../../../src/auth/session.ts";

const COOKIES = new OwnCookies({
  scheme: "https",
  sameSite: "lax",
  scope: "sandbox",
});
const LOGIN = COOKIES.loginSession("box");
const SESSION: LoginSession = {
  kind: "login",
  id: "id",
  sandboxId: "box",
  expiresAt: 1,
};

/** The lines and other headers of a refusal. */
async function relief(
  cookie: string,
  request: Partial<TooLargeRequest> = {},
  scheme: "http" | "https" = "https",
) {
  const cookies = new OwnCookies({ scheme, sameSite: "lax", scope: "sandbox" });
  const headers = await new PlantedCookies({
    scheme,
    cookies,
    sessions: {
      open: (sealed) =>
        Promise.resolve(sealed === "sealed" ? SESSION : undefined),
    },
  }).headersFor({
    cookie,
    target: "/",
    host: {
      port: 3000,
      label: "box",
      base: "p.test",
      authoritySuffix: "p.test:8443",
    },
    isNavigation: true,
    ...request,
  });
  const lines = headers.filter(([name]) => name === "set-cookie")
    .map(([, value]) => value);
  return {
    step: lines[0],
    deletions: lines.slice(1),
    others: headers.filter(([name]) => name !== "set-cookie"),
  };
}

Deno.test("the first relief deletes what was set for all previews, the largest first, and nothing else (S5)", async () => {
  const { step, deletions, others } = await relief(
    "small=1; large=123456789; =nameless; alone",
  );
  assert.match(step ?? "", /^__Host-porthole-cookie-reliefs=1; Path=\/;/);
  assert.deepEqual(deletions, [
    "large=; Domain=p.test; Path=/; Max-Age=0; Secure",
    "=0; Domain=p.test; Path=/; Max-Age=0; Secure",
    "small=; Domain=p.test; Path=/; Max-Age=0; Secure",
  ]);
  assert.deepEqual(others, []);
});

Deno.test("a relief keeps the logins that we sealed, and deletes cookies that only bear their names (S5)", async () => {
  const other = COOKIES.loginSession("other");
  const { deletions } = await relief(
    `${LOGIN}=planted; ${LOGIN}=sealed; ${other}=planted; __Host-a=1`,
    { target: "/deep" },
  );
  assert.deepEqual(deletions, [
    `${other}=; Domain=p.test; Path=/; Max-Age=0; Secure`,
    `${LOGIN}=; Domain=p.test; Path=/deep; Max-Age=0; Secure`,
    `${other}=; Domain=p.test; Path=/deep; Max-Age=0; Secure`,
  ]);
});

Deno.test("a second relief deletes the app's own cookies too, and a third has the browser delete everything (S5)", async () => {
  const own = "__Host-porthole-session=s";
  const second = await relief(`a=1; ${own}; ${COOKIES.reliefs}=1`);
  assert.match(second.step ?? "", /^__Host-porthole-cookie-reliefs=2;/);
  assert.deepEqual(second.deletions, [
    "a=; Domain=p.test; Path=/; Max-Age=0; Secure",
    "a=; Path=/; Max-Age=0; Secure",
    "a=; Domain=3000-box.p.test; Path=/; Max-Age=0; Secure",
  ]);
  assert.deepEqual(second.others, []);

  const everything = [["clear-site-data", '"cookies"']];
  for (const before of ["2", "3"]) {
    const third = await relief(`a=1; ${COOKIES.reliefs}=${before}`);
    assert.match(third.step ?? "", /^__Host-porthole-cookie-reliefs=3;/);
    assert.deepEqual(third.others, everything);
  }
  const unseen = await relief(`a=1; ${COOKIES.reliefs}=2`, {
    isNavigation: false,
  });
  assert.deepEqual(unseen.others, []);
  for (const junk of ["", "0", "-1", "1.5", "17", "x"]) {
    const first = await relief(`a=1; ${COOKIES.reliefs}=${junk}`);
    assert.match(first.step ?? "", /-reliefs=1;/);
  }
});

Deno.test("at a name, a relief deletes what was set for the domain that the name is below, and for the name itself (S5)", async () => {
  const host = {
    port: 3000,
    label: "box",
    base: "p.test",
    authoritySuffix: "p.test:8443",
  };
  for (
    const [name, parent] of [
      ["shop.p.test", "p.test"],
      ["app.customer.example", "customer.example"],
    ]
  ) {
    const { deletions } = await relief(`a=1; ${COOKIES.reliefs}=1`, {
      host: { ...host, name: `${name}:8443` },
    });
    assert.deepEqual(deletions, [
      `a=; Domain=${parent}; Path=/; Max-Age=0; Secure`,
      "a=; Path=/; Max-Age=0; Secure",
      `a=; Domain=${name}; Path=/; Max-Age=0; Secure`,
    ]);
  }
});

Deno.test("a relief deletes what was set for any domain that the host is below, above the base domain in the second step only (S5)", async () => {
  const at = (base: string, name?: string): TooLargeRequest["host"] => ({
    port: 3000,
    label: "box",
    base,
    authoritySuffix: `${base}:8443`,
    ...name !== undefined && { name: `${name}:8443` },
  });
  for (
    const [host, first, second = first] of [
      [at("p.test", "shop.apps.p.test"), ["apps.p.test", "p.test"]],
      [
        at("preview.p.test", "shop.p.test"),
        ["p.test"],
      ],
      [
        at("preview.p.test"),
        ["preview.p.test"],
        ["preview.p.test", "p.test"],
      ],
      [
        at("p.test", "app.dept.customer.example"),
        ["dept.customer.example"],
        ["dept.customer.example", "customer.example"],
      ],
      [at("localhost"), ["localhost"]],
      [
        at("p.test", "a.b.c.d.e.f.g.p.test"),
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
    for (const [before, domains] of [["0", first], ["1", second]] as const) {
      const cookie = `a=1; ${COOKIES.reliefs}=${before}`;
      const { deletions } = await relief(cookie, { host });
      assert.deepEqual(
        deletions.slice(0, domains.length),
        domains.map((each) => `a=; Domain=${each}; Path=/; Max-Age=0; Secure`),
      );
      assert.equal(deletions.length, domains.length + (before === "0" ? 0 : 2));
    }
  }
});

Deno.test("a relief over http sets no attribute that browsers refuse there", async () => {
  const { step, deletions } = await relief("a=1", {}, "http");
  assert.match(step ?? "", /^porthole-cookie-reliefs=1;/);
  assert.deepEqual(deletions, ["a=; Domain=p.test; Path=/; Max-Age=0"]);
});

Deno.test("a relief is bounded in size, whatever the request (S5)", async () => {
  const long = Array.from({ length: 12 }, (_, i) => "n".repeat(4000) + i);
  const many = Array.from({ length: 20_000 }, (_, i) => i.toString(36));
  for (const names of [long, many]) {
    const { deletions } = await relief(
      names.map((name) => `${name}=`).join(";") + `; ${COOKIES.reliefs}=2`,
      { target: "/a".repeat(10_000) },
    );
    const bytes = deletions.reduce((sum, line) => sum + line.length + 14, 0);
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
