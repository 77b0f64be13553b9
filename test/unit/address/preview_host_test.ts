import assert from "node:assert/strict";
import {
  createHostParser,
  hostName,
  hostOfPort,
  likelyHost,
  likelyName,
  originsOfPort,
  parentDomain,
  parseHost,
  portOfSandboxOrigin,
  previewAuthority,
  type PreviewHost,
  previewOrigin,
} from "../../../src/address/preview_host.ts";
import { hostParser, nameSource } from "../../support/names.ts";

const BASES = ["proxy.localhost", "preview.example.com"];

function previewOf(authority: string): PreviewHost {
  const parsed = parseHost(authority, BASES);
  assert(parsed.kind === "preview", `${authority} is ${parsed.kind}`);
  return parsed.host;
}

Deno.test("parseHost() reads port, label and base", () => {
  assert.deepEqual(previewOf("3000-demo.proxy.localhost:4000"), {
    port: 3000,
    label: "demo",
    base: "proxy.localhost",
    authoritySuffix: "proxy.localhost:4000",
  });
});

Deno.test("parseHost() ignores case and a trailing dot", () => {
  assert.equal(previewOf("3000-DeMo.Proxy.LocalHost").label, "demo");
  assert.equal(previewOf("3000-demo.proxy.localhost.").label, "demo");
  assert.equal(previewOf("3000-demo.proxy.localhost.:80").port, 3000);
});

Deno.test("parseHost() accepts every label that the grammar allows", () => {
  for (
    const label of [
      "0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a",
      "abcdefgh12345678",
      "my_box-1",
      "-",
      "a".repeat(57),
    ]
  ) assert.equal(previewOf(`1-${label}.preview.example.com`).label, label);
});

Deno.test("parseHost() accepts a port in plain decimal digits only", () => {
  for (
    const port of [
      "02280",
      "+2280",
      "-2280",
      "0x8e8",
      "2280.0",
      "2e3",
      "1_000",
      "0",
      "00",
      "65536",
      "99999",
      "100000",
      "22 80",
      "２２８０",
      "",
    ]
  ) {
    assert.equal(
      parseHost(`${port}-demo.proxy.localhost`, BASES).kind,
      "malformed",
      port,
    );
  }
});

Deno.test("likelyHost() finds what a mistyped host means, and nothing where that is not clear", () => {
  for (
    const [name, meant] of [
      ["03000-box", "3000-box"],
      ["3000.box", "3000-box"],
      ["3000_box", "3000-box"],
      ["BOX-3000", "3000-box"],
      ["www.3000-box", "3000-box"],
      ["0b9f1c1e-8f1c-3000", "3000-0b9f1c1e-8f1c"],
      ["box.-_003000", "3000-box"],
      ["a.-.-.-.-", undefined],
      ["box", undefined],
      ["3000", undefined],
      ["70000-box", undefined],
      ["0-box", undefined],
      ["3000-démo", undefined],
      [`3000-${"a".repeat(58)}`, undefined],
    ] as const
  ) {
    const suffix = "proxy.localhost:4000";
    const likely = likelyHost(`${name}.${suffix}`, suffix);
    const text = likely && `${likely.port}-${likely.label}`;
    assert.equal(text, meant, name);
    assert.equal(likely?.authoritySuffix, likely && suffix);
  }
});

Deno.test("likelyName() finds what may be meant for a name, and no signed link", () => {
  const suffix = "proxy.localhost:4000";
  for (
    const [label, isName] of [
      ["shop", true],
      ["Shop-2", true],
      ["a-box-3000", true],
      ["abcdefghijklmno", true],
      ["abcdefgh12345678", false],
      ["x3000-abcdefgh12345678", false],
      ["3000", false],
      ["shop.eu", false],
      ["_dmarc", false],
      ["", false],
    ] as const
  ) {
    const host = `${label}.${suffix}`;
    const name = isName ? host.toLowerCase() : undefined;
    assert.equal(likelyName(host, suffix), name, label);
  }
});

Deno.test("parseHost() refuses labels outside the grammar", () => {
  for (
    const name of [
      "3000-",
      `3000-${"a".repeat(58)}`,
      "3000-a.b",
      "3000-a..",
      "3000",
      "demo",
      "www",
      "3000-démo",
      "x.3000-demo",
    ]
  ) {
    assert.equal(
      parseHost(`${name}.proxy.localhost`, BASES).kind,
      "malformed",
      name,
    );
  }
});

Deno.test("parseHost() tells the base domain from foreign hosts", () => {
  assert.deepEqual(parseHost("Proxy.Localhost:4000", BASES), {
    kind: "base",
    base: "proxy.localhost",
  });
  for (
    const host of [
      "127.0.0.1:4000",
      "[::1]:4000",
      "localhost",
      "proxy.localhost.evil.com",
    ]
  ) assert.equal(parseHost(host, BASES).kind, "foreign", host);
});

Deno.test("parseHost() tells a preview host on another domain from other foreign hosts", () => {
  for (
    const host of [
      "3000-demo.evil.com",
      "3000-Demo.Evil.com.:4000",
      "3000-demo.xproxy.localhost",
      "3000-demoproxy.localhost",
    ]
  ) {
    assert.equal(parseHost(host, BASES).kind, "unknown_domain", host);
    assert.equal(parseHost(host, []).kind, "unknown_domain", host);
  }
  for (
    const host of [
      "3000-demo",
      "03000-demo.evil.com",
      "65536-demo.evil.com",
      "x.3000-demo.evil.com",
      "3000.evil.com",
      "10.0.0.7",
      "[3000-1::1]",
    ]
  ) assert.equal(parseHost(host, BASES).kind, "foreign", host);
});

Deno.test("portOfSandboxOrigin() tells the port for the same label, and for nothing else", () => {
  const host = previewOf("3000-demo.proxy.localhost:4000");
  for (const port of [1, 5173, 65535]) {
    const origin = `http://${port}-demo.proxy.localhost:4000`;
    assert.equal(portOfSandboxOrigin(origin, host, "http"), port);
  }
  for (
    const origin of [
      "http://3000-locked.proxy.localhost:4000",
      "https://3000-demo.proxy.localhost:4000",
      "http://3000-demo.proxy.localhost",
      "http://3000-demo.proxy.localhost:4001",
      "http://x.3000-demo.proxy.localhost:4000",
      "http://03000-demo.proxy.localhost:4000",
      "http://65536-demo.proxy.localhost:4000",
      "http://3000-demo.evil.com/.proxy.localhost:4000",
      "http://3000-demo.preview.example.com",
      "http://.proxy.localhost:4000",
      "null",
      "",
    ]
  ) assert.equal(portOfSandboxOrigin(origin, host, "http"), undefined, origin);
});

const HOST = "3000-box.preview.example.com";
const NO_NAMES = nameSource({});

Deno.test("createHostParser() parses as parseHost() does, and returns the cached result for the same host", () => {
  const bases = ["preview.example.com"];
  const parse = createHostParser(() => bases, NO_NAMES);
  const parsed = parse(HOST);
  assert.deepEqual(parsed, {
    kind: "preview",
    host: {
      port: 3000,
      label: "box",
      base: "preview.example.com",
      authoritySuffix: "preview.example.com",
    },
  });
  assert.equal(parse(HOST), parsed);
  assert.deepEqual(parse("preview.example.com"), {
    kind: "base",
    base: "preview.example.com",
  });
});

Deno.test("createHostParser() parses again when the base domains change", () => {
  let bases: readonly string[] = [];
  const parse = createHostParser(() => bases, NO_NAMES);
  assert.equal(parse(HOST).kind, "unknown_domain");
  bases = ["preview.example.com"];
  assert.equal(parse(HOST).kind, "preview");
  bases = ["elsewhere.test"];
  assert.equal(parse(HOST).kind, "unknown_domain");
});

Deno.test("createHostParser() caches only preview hosts", () => {
  const bases = ["preview.example.com"];
  const parse = createHostParser(() => bases, NO_NAMES);
  for (const host of ["elsewhere.example.com", "x.preview.example.com"]) {
    assert.deepEqual(parse(host), parse(host));
    assert.notEqual(parse(host), parse(host));
  }
});

/** Names of two sandboxes: two of one port, one of another, and one below no base domain. */
const NAMES = {
  "shop.proxy.localhost": { sandboxId: "demo", port: 3000 },
  "store.preview.example.com": { sandboxId: "demo", port: 3000 },
  "panel.proxy.localhost": { sandboxId: "demo", port: 8000 },
  "app.customer.example": { sandboxId: "demo", port: 8000 },
  "other.proxy.localhost": { sandboxId: "locked", port: 3000 },
} as const;

function namedOf(authority: string): PreviewHost {
  const parsed = hostParser(BASES, NAMES)(authority);
  assert(parsed.kind === "preview", `${authority} is ${parsed.kind}`);
  return parsed.host;
}

Deno.test("the origin of a name is the name's, and what leads to another port leads to its preview host", () => {
  const host = namedOf("Shop.proxy.localhost.:4000");
  assert.equal(previewOrigin(host, "http"), "http://shop.proxy.localhost:4000");
  const own = hostOfPort(host, 3000);
  assert.equal(previewAuthority(own), "shop.proxy.localhost:4000");
  const other = hostOfPort(host, 8000);
  assert.equal(previewAuthority(other), "8000-demo.proxy.localhost:4000");
  const custom = hostOfPort(namedOf("app.customer.example"), 3000);
  assert.equal(previewAuthority(custom), "3000-demo.proxy.localhost");
});

Deno.test("hostName() and parentDomain() are without ports, and of the name if that was asked for", () => {
  for (
    const [authority, name, parent] of [
      ["3000-Demo.proxy.localhost:4000", "3000-demo.proxy.localhost", BASES[0]],
      ["Shop.proxy.localhost.:4000", "shop.proxy.localhost", BASES[0]],
      ["app.customer.example:4000", "app.customer.example", "customer.example"],
    ] as const
  ) {
    const host = namedOf(authority);
    assert.equal(hostName(host), name);
    assert.equal(parentDomain(host), parent);
  }
  const deep = hostParser(BASES, {
    "a.b.proxy.localhost": { sandboxId: "demo", port: 1 },
  })("a.b.proxy.localhost");
  assert(deep.kind === "preview");
  assert.equal(parentDomain(deep.host), "b.proxy.localhost");
});

Deno.test("portOfSandboxOrigin() tells the port for the names of the sandbox, from each of its hosts", () => {
  for (
    const authority of [
      "3000-demo.proxy.localhost:4000",
      "5173-demo.proxy.localhost:4000",
      "shop.proxy.localhost:4000",
      "app.customer.example:4000",
    ]
  ) {
    const host = namedOf(authority);
    for (
      const [name, port] of [
        ["shop.proxy.localhost", 3000],
        ["store.preview.example.com", 3000],
        ["panel.proxy.localhost", 8000],
        ["app.customer.example", 8000],
        ["8000-demo.proxy.localhost", 8000],
      ] as const
    ) {
      const origin = `http://${name}:4000`;
      assert.equal(portOfSandboxOrigin(origin, host, "http"), port, origin);
    }
    for (
      const origin of [
        "http://other.proxy.localhost:4000",
        "http://3000-locked.proxy.localhost:4000",
        "http://shop.proxy.localhost",
        "http://shop.proxy.localhost:4001",
        "http://shop.proxy.localhost:40000",
        "http://shop.proxy.localhost.:4000",
        "http://Shop.proxy.localhost:4000",
        "http://x.shop.proxy.localhost:4000",
        "http://shop.proxy.localhost:4000/",
        "http://shop.proxy.localhost:4000.evil.example:4000",
        "http://x@shop.proxy.localhost:4000",
        "https://shop.proxy.localhost:4000",
        "http://proxy.localhost:4000",
        "http://customer.example:4000",
        "shop.proxy.localhost:4000",
        "null",
        "",
      ]
    ) {
      const port = portOfSandboxOrigin(origin, host, "http");
      assert.equal(port, undefined, `${origin} at ${authority}`);
    }
  }
  const other = namedOf("3000-locked.proxy.localhost");
  const shop = "http://shop.proxy.localhost";
  assert.equal(portOfSandboxOrigin(shop, other, "http"), undefined);
});

Deno.test("portOfSandboxOrigin() takes another sandbox's preview host for no name, whoever calls it one", () => {
  const names = new Map([["3000-locked.proxy.localhost", 3000]]);
  const host = { ...previewOf("3000-demo.proxy.localhost"), names };
  const origin = "http://3000-locked.proxy.localhost";
  assert.equal(portOfSandboxOrigin(origin, host, "http"), undefined);
});

Deno.test("originsOfPort() lists the preview host and the names of a port, each with the port that was asked at", () => {
  for (
    const authority of [
      "shop.proxy.localhost:4000",
      "5173-demo.proxy.localhost:4000",
    ]
  ) {
    const host = namedOf(authority);
    const origins = originsOfPort(host, 3000, "https");
    assert.deepEqual(origins, [
      "https://3000-demo.proxy.localhost:4000",
      "https://shop.proxy.localhost:4000",
      "https://store.preview.example.com:4000",
    ]);
    for (const origin of origins) {
      assert.equal(portOfSandboxOrigin(origin, host, "https"), 3000);
    }
    assert.deepEqual(originsOfPort(host, 1, "http"), [
      "http://1-demo.proxy.localhost:4000",
    ]);
  }
});
