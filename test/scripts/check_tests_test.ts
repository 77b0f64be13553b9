/** The check that finds tests that cannot fail, and those that assert how long something took. */
import assert from "node:assert/strict";
import { problemsOf } from "../../scripts/check_tests/problems.ts";
import { runScript } from "../support/run_script.ts";

const IMPORT = `import assert from "node:assert/strict";\n`;

/** What is found in modules, with their lines; the first of them is `/test/a_test.ts`. */
function found(source: string, helpers: Record<string, string> = {}): string[] {
  const texts = new Map([
    ["/test/a_test.ts", IMPORT + source],
    ...Object.entries(helpers),
  ]);
  return problemsOf(texts).map(({ file, line, message }) =>
    `${file}:${line}: ${message}`
  );
}

/** What is found of a test that asserts nothing. */
const NOTHING = ['/test/a_test.ts:2: this test asserts nothing: "a"'];

/** Of a single test with this body, in front of these declarations. */
function foundIn(body: string, declarations = ""): string[] {
  return found(`Deno.test("a", async (t) => { ${body} });\n${declarations}`);
}

Deno.test("a test that asserts nothing is found, however it is declared", () => {
  assert.deepEqual(foundIn("await visit();"), NOTHING);
  assert.deepEqual(found(`Deno.test("a", () => visit());`), NOTHING);
  assert.deepEqual(found(`Deno.test.ignore("a", visit);`), NOTHING);
  assert.deepEqual(found(`redisTest("a", async () => {});`), NOTHING);
  assert.deepEqual(found(`test.choice("a", async () => {});`), NOTHING);
  assert.deepEqual(found(`Deno.test({ name: "a", fn() {} });`), [
    '/test/a_test.ts:2: this test asserts nothing: { name: "a", fn() {} }',
  ]);
});

Deno.test("the tests of a suite are looked at where they are written, and not at its calls", () => {
  const suite = (body: string) =>
    `function testSuite(name: string) {
  Deno.test(name, () => { ${body} });
}
testSuite("a");`;
  assert.deepEqual(found(suite("assert(x);")), []);
  assert.deepEqual(found(suite("visit();")), [
    "/test/a_test.ts:3: this test asserts nothing: name",
  ]);
});

Deno.test("an assertion of node:assert or fast-check is one, whatever it is called", () => {
  for (
    const [imports, assertion] of [
      ["", "assert(x)"],
      ["", "assert.equal(1, x)"],
      ["", "await assert.rejects(x)"],
      ["", "[x].map((y) => assert.ok(y))"],
      [
        `import { strictEqual as equal } from "node:assert/strict";`,
        "equal(x)",
      ],
      [`import fc from "fast-check";`, "fc.assert(x)"],
    ] as const
  ) {
    assert.deepEqual(foundIn(assertion, imports), [], assertion);
  }
  const fake = "function equal(a: unknown) { return a; }";
  assert.deepEqual(foundIn("equal(x)", fake), NOTHING);
  const fastCheck = `import fc from "fast-check";`;
  assert.deepEqual(foundIn("fc.integer()", fastCheck), NOTHING);
});

Deno.test("what only satisfies the compiler is no assertion", () => {
  assert.deepEqual(foundIn("const a = x ?? assert.fail();"), NOTHING);
  assert.deepEqual(foundIn("visit(() => assert.fail());"), []);
});

Deno.test("a helper that checks something counts, in this file or another, whomever it asks", () => {
  const check = `export function check(x: number): void { assert(x); }`;
  assert.deepEqual(foundIn("check(1)", check), []);
  const over = `const over = async () => { check(1); };\n${check}`;
  assert.deepEqual(foundIn("await over()", over), []);
  const importing = `import { check as seen } from "./support/check.ts";`;
  const helpers = { "/test/support/check.ts": IMPORT + check };
  const test = `Deno.test("a", () => seen(1));`;
  assert.deepEqual(found(`${test}\n${importing}`, helpers), []);
  const silent = { "/test/support/check.ts": "export function check() {}" };
  assert.deepEqual(found(`${test}\n${importing}`, silent), NOTHING);
});

Deno.test("a helper that prepares a test does not count, though it asserts that it could", () => {
  for (
    const helper of [
      "async function begin() { assert(x); return x; }",
      "async function begin(): Promise<number> { assert(x); return 1; }",
      "async function begin(use?: () => void): Promise<void> { assert(x); }",
    ]
  ) {
    assert.deepEqual(foundIn("await begin();", helper), NOTHING, helper);
  }
  const named = "function assertOne(): number { assert(x); return 1; }";
  assert.deepEqual(foundIn("assertOne();", named), []);
});

Deno.test("helpers that call each other are looked at once", () => {
  const circle = "function one() { two(); }\nfunction two() { one(); }";
  assert.deepEqual(foundIn("one();", circle), NOTHING);
});

Deno.test("a step that asserts nothing is found, though another one asserts", () => {
  const body = `
    await t.step("first", () => assert(x));
    await t.step("second", () => {});`;
  assert.deepEqual(foundIn(body), [
    '/test/a_test.ts:4: this step asserts nothing: "second"',
  ]);
});

Deno.test("what declares tests for its callers is no test, and its callers' are", () => {
  const wrapper = `function testTwice(name: string, body: () => void) {
    for (const suffix of ["", "again"]) Deno.test(name + suffix, () => body());
  }`;
  assert.deepEqual(found(`testTwice("a", () => {});\n${wrapper}`), NOTHING);
  assert.deepEqual(found(`testTwice("a", () => assert(x));\n${wrapper}`), []);
  assert.deepEqual(found(wrapper.replace("testTwice", "twice")), [
    "/test/a_test.ts:3: what declares tests is called test…, or …Test: twice",
  ]);
});

Deno.test("an assertion of how long something took is found, and no other use of the clock", () => {
  const timed = (line: number) => [
    `/test/a_test.ts:${line}: this asserts how long something took, which a busy machine decides`,
  ];
  for (
    const body of [
      "assert(performance.now() - before < 100);",
      "assert.ok(Date.now() < until);",
      "const ms = performance.now() - before; assert(ms < 100, `${ms}`);",
      "const sec = (Date.now() - before) / 1000; assert(sec < 1);",
    ]
  ) {
    assert.deepEqual(foundIn(body), timed(2), body);
  }
  for (
    const body of [
      "assert.equal(link.expiresAt, Date.now() + 60_000);",
      "const now = Date.now(); assert(seen.at >= now);",
      "while (performance.now() < until) await turn(); assert(x);",
    ]
  ) {
    assert.deepEqual(foundIn(body), [], body);
  }
});

Deno.test("the script fails because of one test in a folder, and names it", async () => {
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "data/test" });
  const run = () =>
    runScript("scripts", "scripts/check_tests.ts", { args: [folder] });
  try {
    await Deno.writeTextFile(
      `${folder}/a_test.ts`,
      `${IMPORT}Deno.test("a", () => assert(1));`,
    );
    assert.equal((await run()).code, 0);
    await Deno.writeTextFile(
      `${folder}/b_test.ts`,
      `Deno.test("b", () => {});`,
    );
    const { code, err } = await run();
    assert.equal(code, 1);
    assert.match(err, /b_test\.ts:1: this test asserts nothing: "b"$/m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
