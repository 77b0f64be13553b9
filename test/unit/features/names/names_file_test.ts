import assert from "node:assert/strict";
import { contentOf } from "../../../../src/config/settings_file.ts";
import { namesFile } from "../../../../src/features/names/names_file.ts";

const BASE = "preview.example.com";

/** What the file says with that text. */
function read(text: string) {
  return contentOf(namesFile("names.json", [BASE]), text);
}

/** The problems of one name. */
function problemsOf(host: string, target: unknown): readonly string[] {
  const content = read(JSON.stringify({ [host]: target }));
  return content.ok ? [] : content.problems;
}

const TARGET = { sandbox: "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77", port: 3000 };

Deno.test("a file of names is JSON or YAML, and names any host", () => {
  const { sandbox } = TARGET;
  const expected = {
    ok: true,
    value: new Map([
      ["shop.preview.example.com", { sandboxId: sandbox, port: 3000 }],
      ["www.example.org", { sandboxId: "box", port: 8080 }],
    ]),
  };
  const json = {
    "shop.preview.example.com": {
      ...TARGET,
      sandbox: sandbox.toUpperCase(),
    },
    "www.example.org": { sandbox: "box", port: 8080 },
  };
  assert.deepEqual(read(JSON.stringify(json)), expected);
  const yaml = `
shop.preview.example.com: {sandbox: ${sandbox}, port: 3000}
www.example.org:
  sandbox: box
  port: 8080
`;
  assert.deepEqual(read(yaml), expected);
  assert.deepEqual(read("{}"), { ok: true, value: new Map() });
});

Deno.test("a name is no base domain and no preview host, and is written in one way", () => {
  const cases = {
    [BASE]: "must not be a base domain",
    [`3000-box.${BASE}`]: "must not read as a preview host",
    "3000-box.example.org": "must not read as a preview host",
    "Shop.example.org": "must be a host in lower case, without a port",
    "shop.example.org.": "must be a host in lower case, without a port",
    "shop.example.org:443": "must be a host in lower case, without a port",
    "https://shop.example.org": "must be a host in lower case, without a port",
    "*.example.org": "must be a host in lower case, without a port",
  };
  for (const [host, problem] of Object.entries(cases)) {
    assert.deepEqual(problemsOf(host, TARGET), [`/${host}: ${problem}`]);
  }
  assert.deepEqual(problemsOf(`shop.${BASE}`, TARGET), []);
});

Deno.test("a name leads to a sandbox's ID and to a port that may be given, and to nothing else", () => {
  const host = "shop.example.org";
  const cases: [unknown, RegExp][] = [
    [{ ...TARGET, port: 2280 }, /\/port: must be a port/],
    [{ ...TARGET, port: 0 }, /\/port: must be a port/],
    [{ ...TARGET, port: "3000" }, /\/port: /],
    [{ ...TARGET, sandbox: "../box" }, /\/sandbox: must be the ID/],
    [{ ...TARGET, sandbox: "abcdefgh12345678" }, /\/sandbox: must be the ID/],
    [{ sandbox: "box" }, /\/port: /],
    [{ ...TARGET, path: "/" }, /path/],
    ["box", /shop\.example\.org: /],
  ];
  for (const [target, problem] of cases) {
    const problems = problemsOf(host, target);
    assert.equal(problems.length, 1, JSON.stringify(target));
    assert.match(problems.join(), problem);
  }
  assert.equal(read("[]").ok, false);
  assert.equal(read("").ok, false);
  assert.equal(read("a.example.org: {").ok, false);
});
