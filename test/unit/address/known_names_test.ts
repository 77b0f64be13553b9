import assert from "node:assert/strict";
import { KnownNames } from "../../../src/address/known_names.ts";
import {
  createHostParser,
  type ParsedHost,
  type PreviewHost,
} from "../../../src/address/preview_host.ts";
import { hostParser, nameSource } from "../../support/names.ts";

/** The longest first, as the settings' are. */
const BASES = ["eu.preview.example.com", "preview.example.com", "p.test"];

const parse = hostParser(BASES, {
  "shop.preview.example.com": { sandboxId: "box", port: 3000 },
  "shop.eu.preview.example.com": { sandboxId: "box", port: 3000 },
  "a.b.preview.example.com": { sandboxId: "box", port: 8000 },
  "app.customer.example": { sandboxId: "other", port: 65_535 },
  "capitals.p.test": {
    sandboxId: "0B6F2C1E-7D3A-4F58-9A41-2F6F0C9D1E77",
    port: 1,
  },
  "gone.p.test": { sandboxId: "box", port: 3000, isSuspended: true },
});

function named(authority: string): PreviewHost {
  const parsed = parse(authority);
  assert(parsed.kind === "preview", `${authority} is ${parsed.kind}`);
  return parsed.host;
}

Deno.test("KnownNames knows none before it has a source, and then what that knows at the time", () => {
  const known = new KnownNames();
  assert.equal(known.find("shop.p.test"), undefined);
  assert.equal(known.of("box"), undefined);
  for (const port of [3000, 8000]) {
    known.use([nameSource({ "shop.p.test": { sandboxId: "box", port } })]);
    assert.equal(known.find("shop.p.test")?.port, port);
    assert.deepEqual(known.of("box"), new Map([["shop.p.test", port]]));
  }
});

Deno.test("a name is the preview that it leads to, below its own base domain, or the longest if it is below none", () => {
  for (
    const [authority, port, label, authoritySuffix] of [
      ["shop.preview.example.com", 3000, "box", BASES[1]],
      ["shop.eu.preview.example.com", 3000, "box", BASES[0]],
      ["a.b.preview.example.com", 8000, "box", BASES[1]],
      ["app.customer.example:8443", 65_535, "other", `${BASES[0]}:8443`],
    ] as const
  ) {
    const { name, ...host } = named(authority);
    assert.equal(name, authority);
    const { base, names: _, ...where } = host;
    assert.deepEqual(where, { port, label, authoritySuffix });
    assert(authoritySuffix?.startsWith(base));
  }
});

Deno.test("a name has one spelling, whatever case, trailing dot or port the request has", () => {
  for (
    const [authority, name] of [
      ["SHOP.Preview.Example.COM", "shop.preview.example.com"],
      ["shop.preview.example.com.", "shop.preview.example.com"],
      ["Shop.preview.example.com.:8443", "shop.preview.example.com:8443"],
      ["shop.preview.example.com:80", "shop.preview.example.com:80"],
    ] as const
  ) assert.equal(named(authority).name, name);
  for (
    const authority of [
      "shop.preview.example.com..",
      ".shop.preview.example.com",
      "shop..preview.example.com",
      "x.shop.preview.example.com",
      "shopx.preview.example.com",
      "shop",
      "preview.example.com.shop",
      "customer.example",
      "",
    ]
  ) assert.notEqual(parse(authority).kind, "preview", authority);
});

Deno.test("the label of a name is in lower case, as those of preview hosts are", () => {
  const { label } = named("capitals.p.test");
  assert.equal(label, "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77");
});

Deno.test("a preview host and a name know all names of their sandbox that are in force, and nothing of another's", () => {
  const names = new Map([
    ["shop.preview.example.com", 3000],
    ["shop.eu.preview.example.com", 3000],
    ["a.b.preview.example.com", 8000],
  ]);
  for (
    const host of [
      "shop.preview.example.com",
      "3000-box.preview.example.com",
      "5173-box.p.test:8443",
    ]
  ) assert.deepEqual(named(host).names, names, host);
  assert.equal(named("3000-nobody.p.test").names, undefined);
  assert.equal(named("3000-nobody.p.test").name, undefined);
});

Deno.test("base domains and preview hosts are what they are, whatever is called a name", () => {
  const all = hostParser(["p.test"], {
    "p.test": { sandboxId: "box", port: 3000 },
    "3000-victim.p.test": { sandboxId: "box", port: 3000 },
    "2280-victim.p.test": { sandboxId: "box", port: 3000 },
  });
  assert.deepEqual(all("p.test:8443"), { kind: "base", base: "p.test" });
  for (const port of [3000, 2280]) {
    const parsed = all(`${port}-victim.p.test`);
    assert(parsed.kind === "preview");
    assert.deepEqual(parsed.host, {
      port,
      label: "victim",
      base: "p.test",
      authoritySuffix: "p.test",
    });
  }
});

Deno.test("Daytona's own ports, what is no port, and what is no sandbox's id are reached by no name", () => {
  for (
    const [sandboxId, port] of [
      ["box", 2280],
      ["box", 22_222],
      ["box", 33_333],
      ["box", 0],
      ["box", -1],
      ["box", 65_536],
      ["box", 3000.5],
      ["box", NaN],
      ["", 3000],
      ["a.b", 3000],
      ["a/../b", 3000],
      ["x".repeat(58), 3000],
      ["signedlockedlink", 3000], // it may be a signed link, which is a secret
    ] as const
  ) {
    const target = { sandboxId, port };
    const one = hostParser(["p.test"], {
      "shop.p.test": target,
      "shop.example": target,
    });
    const what = `${port} of ${sandboxId}`;
    assert.equal(one("shop.p.test").kind, "malformed", what);
    assert.equal(one("shop.example").kind, "foreign", what);
  }
});

Deno.test("a name that leads nowhere for now says so, and none does before a base domain is known", () => {
  const suspended: ParsedHost = { kind: "suspended" };
  assert.deepEqual(parse("gone.p.test:8443"), suspended);
  const early = hostParser([], {
    "shop.p.test": { sandboxId: "box", port: 3000 },
  });
  assert.deepEqual(early("shop.p.test"), { kind: "unknown_domain" });
  assert.deepEqual(early("shop2.p.test"), { kind: "foreign" });
});

Deno.test("addresses are no names, in whatever form", () => {
  for (
    const authority of [
      "[::1]",
      "[::1]:8080",
      "[2001:db8::shop.p.test]",
      "127.0.0.1:8080",
      "localhost",
      ":8080",
    ]
  ) assert.equal(parse(authority).kind, "foreign", authority);
});

Deno.test("of two sources, the first that knows a host says what it leads to, and the names of a sandbox are those of both", () => {
  const known = new KnownNames();
  known.use([
    nameSource({ "shop.p.test": { sandboxId: "box", port: 1 } }),
    nameSource({
      "shop.p.test": { sandboxId: "box", port: 2 },
      "blog.p.test": { sandboxId: "box", port: 3 },
      "wiki.p.test": { sandboxId: "other", port: 4 },
    }),
  ]);
  assert.equal(known.find("shop.p.test")?.port, 1);
  assert.equal(known.find("wiki.p.test")?.port, 4);
  assert.deepEqual(
    new Map(known.of("box")),
    new Map([["blog.p.test", 3], ["shop.p.test", 1]]),
  );
  assert.deepEqual(known.of("other"), new Map([["wiki.p.test", 4]]));
  assert.equal(known.of("none"), undefined);
});

Deno.test("a name is known from the moment that its source knows it, and no longer", () => {
  const known = new KnownNames();
  const bases = ["p.test"];
  const changing = createHostParser(() => bases, known);
  function labels(): (string | undefined)[] {
    return ["shop.p.test", "1-a.p.test"].map((host) => {
      const parsed = changing(host);
      return parsed.kind === "preview"
        ? parsed.host.label + (parsed.host.names?.size ?? "")
        : undefined;
    });
  }
  assert.deepEqual(labels(), [undefined, "a"]);
  known.use([nameSource({ "shop.p.test": { sandboxId: "a", port: 1 } })]);
  assert.deepEqual(labels(), ["a1", "a1"]);
  known.use([nameSource({ "shop.p.test": { sandboxId: "b", port: 1 } })]);
  assert.deepEqual(labels(), ["b1", "a"]);
  known.use([nameSource({})]);
  assert.deepEqual(labels(), [undefined, "a"]);
});
