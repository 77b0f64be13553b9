import assert from "node:assert/strict";
import { createHostParser } from "../../src/address/host_parser.ts";

const HOST = "3000-box.preview.example.com";

Deno.test("createHostParser() parses as parseHost() does, and returns the cached result for the same host", () => {
  const bases = ["preview.example.com"];
  const parse = createHostParser(() => bases);
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
  const parse = createHostParser(() => bases);
  assert.equal(parse(HOST).kind, "unknown_domain");
  bases = ["preview.example.com"];
  assert.equal(parse(HOST).kind, "preview");
  bases = ["elsewhere.test"];
  assert.equal(parse(HOST).kind, "unknown_domain");
});

Deno.test("createHostParser() caches only preview hosts", () => {
  const bases = ["preview.example.com"];
  const parse = createHostParser(() => bases);
  for (const host of ["elsewhere.example.com", "x.preview.example.com"]) {
    assert.deepEqual(parse(host), parse(host));
    assert.notEqual(parse(host), parse(host));
  }
});
