import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { isAllowed, loginClaims } from "../../../src/auth/login_rule.ts";
import { loginAllowEntry, loginRule } from "../../../src/config/login_allow.ts";
import { listOf } from "../../../src/config/formats.ts";
import { createSealer } from "../../../src/lib/seal.ts";

function ruleOf(text: string) {
  const rule = loginRule(listOf(loginAllowEntry).schema.parse(text));
  if (rule === undefined) throw new Error(`No rule in "${text}"`);
  return rule;
}

function isIn(text: string, claims: Record<string, unknown>): boolean {
  const verified = { email_verified: true, ...claims };
  return isAllowed(ruleOf(text), loginClaims(verified, "groups"));
}

Deno.test("a rule lets in addresses, whole domains and groups, and nobody else", () => {
  const rule = "Ann@Example.com, @staff.example, group:on call";
  ok(isIn(rule, { email: "ann@example.com" }));
  ok(isIn(rule, { email: "ANN@EXAMPLE.COM" }));
  ok(isIn(rule, { email: "anybody@staff.example" }));
  ok(isIn(rule, { email: "bob@example.com", groups: ["x", "on call"] }));
  ok(isIn(rule, { email: "bob@example.com", groups: "on call" }));

  ok(!isIn(rule, { email: "bob@example.com" }));
  ok(!isIn(rule, { email: "bob@example.com", groups: ["On Call", "on"] }));
  ok(!isIn(rule, { email: "bob@a.staff.example" }), "a domain below");
  ok(!isIn(rule, { email: "bob@not-staff.example" }));
  ok(!isIn(rule, {}), "no address at all");
});

Deno.test("of thousands of groups, as many count as there is room for beside the tokens of a login", async () => {
  const maxLength = 60_000;
  const secrets = ["s".repeat(32)];
  const now = () => 0;
  const sealer = createSealer({ secrets, purpose: "t", now, maxLength });
  for (const group of ["0".repeat(36), "\u7d44\u5408", '"\n', ""]) {
    const groups = ["staff", ...Array<string>(60_000).fill(group)];
    const claims = { email: "a@b.test", email_verified: true, groups };
    ok(isIn("group:staff", claims));
    const identity = loginClaims(claims, "groups");
    ok(identity.groups.length > 500);
    const accessToken = "t".repeat(16_000);
    await sealer.seal({ identity, accessToken }, 60_000);
  }
});

Deno.test("nobody gets in whose address is not verified, by no part of a rule", () => {
  const rule = "ann@example.com, @example.com, group:staff";
  const ann = { email: "ann@example.com", groups: ["staff"] };
  ok(isIn(rule, { ...ann, email_verified: "true" }), "as text, at some");
  for (const email_verified of [false, undefined, null, "false", 1, "yes"]) {
    ok(!isIn(rule, { ...ann, email_verified }), `${email_verified}`);
  }
});

Deno.test("what is not exactly one address is none at an allowed domain", () => {
  const rule = "@example.com, ann@example.com";
  for (
    const email of [
      "eve@evil.example@example.com",
      '"eve@evil.example"@example.com',
      "eve@evil.example ann@example.com",
      "ann@example.com\n",
      "@example.com",
      "example.com",
      "ann@example.com.",
      "ann@example.com,eve@evil.example",
      "ann@e\u212aample.com",
      ["ann@example.com"],
      { toString: () => "ann@example.com" },
    ]
  ) {
    ok(!isIn(rule, { email }), JSON.stringify(email));
  }
  const kelvin = "\u212aim@example.com"; // its lower case is "kim"
  ok(!isIn("kim@example.com", { email: kelvin }));
});

Deno.test("groups are read from the claim that the operator names, and may be of any type", () => {
  const claims = {
    email: "a@example.com",
    email_verified: true,
    groups: ["no"],
    "https://example.com/roles": ["staff", 7, null, { name: "admin" }],
  };
  deepEqual(loginClaims(claims, "https://example.com/roles"), {
    email: "a@example.com",
    isEmailVerified: true,
    groups: ["staff"],
  });
  for (const name of ["constructor", "__proto__", "absent"]) {
    deepEqual(loginClaims(claims, name).groups, [], name);
  }
});

Deno.test("what is no address, domain or group is no part of a rule", () => {
  const { schema } = loginAllowEntry;
  const good = ["a@b", "o'neil+x@example.com", "@example.com", "group:a b:c"];
  for (const text of good) ok(schema.safeParse(text).success, text);
  const bad = [
    "example.com",
    "a@",
    "@",
    "a@b@c",
    "*",
    "@*.example.com",
    "a b@example.com",
    "@example.com:80",
    "@.example.com",
    "group:",
    "group: ",
    "GROUP:staff",
    "\u00fc@example.com",
  ];
  for (const text of bad) ok(!schema.safeParse(text).success, text);
});
