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
  for (const empty of ["{}", "# shop.example.org: …\n"]) {
    assert.deepEqual(read(empty), { ok: true, value: new Map() }, empty);
  }
});

Deno.test("a name is no base domain and no preview host, and is written in one way", () => {
  for (
    const [host, problem] of [
      [BASE, /domain/],
      [`3000-box.${BASE}`, /preview host/],
      ["Shop.example.org", /lower case/],
      ["shop.example.org.", /dots/],
      ["shop.example.org:443", /port/],
      ["10.0.0.1", /IP address/],
      ["*.example.org", /labels/],
    ] as const
  ) {
    const problems = problemsOf(host, TARGET);
    assert.equal(problems.length, 1, host);
    assert(problems[0]?.startsWith(`/${host}: `), host);
    assert.match(problems.join(), problem);
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
