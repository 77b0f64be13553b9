import assert from "node:assert/strict";
import { contentOf } from "../../../../src/config/settings_file.ts";
import {
  type RuleContext,
  rulesFile,
} from "../../../../src/features/trusted_issuers/rules.ts";
import { createIssuer } from "../../../support/issuer.ts";

const CONTEXT: RuleContext = {
  OIDC_ALLOW_INSECURE: false,
  OIDC_DOMAIN: undefined,
};

const MAPPED = {
  kind: "mapped",
  issuer: "https://ci.example.com",
  audience: "https://preview.example.com",
  jwks: "https://ci.example.com/jwks",
  sandboxes: { team: "shop" },
  ports: [3000],
  subject: "repo:acme/*:ref:refs/heads/main",
};

const MINTING = {
  kind: "minting",
  issuer: "shop",
  audience: "previews",
  jwks: { keys: [{ kty: "EC", crv: "P-256", x: "x", y: "y" }] },
  sandboxes: "*",
  ports: "*",
};

/** What a file with these rules says. */
function rulesOf(json: unknown, context = CONTEXT) {
  return contentOf(rulesFile("rules.json", context), JSON.stringify(json));
}

/** The problems with rules. */
function problemsOf(json: unknown, context = CONTEXT): readonly string[] {
  const result = rulesOf(json, context);
  return result.ok ? [] : result.problems;
}

Deno.test("rulesFile() reads both kinds of rules, and tickets last for an hour at most", () => {
  const ids = { ...MINTING, sandboxes: ["a", "b"], methods: ["GET", "HEAD"] };
  const result = rulesOf([MAPPED, { ...ids, maxLifeSec: 60 }, MINTING]);
  assert(result.ok);
  assert.deepEqual(
    result.value.map((rule) => rule.kind === "minting" && rule.maxLifeSec),
    [false, 60, 3600],
  );
  const [{ name, ...mapped } = { name: "" }] = result.value;
  assert.deepEqual(mapped, MAPPED);
  assert.match(name, /^[\w-]{8}$/);
});

Deno.test("rulesFile() tells all problems at once, each by its place", () => {
  const { subject: _, ...anybody } = MAPPED;
  const problems = problemsOf([
    anybody,
    { ...MAPPED, subject: "repo:a*b*:x", ports: [2280] },
    { ...MINTING, subject: "x", sandboxes: {}, maxLifeSec: 3601 },
    { ...MINTING, methods: ["get"], ports: [], jwks: "ftp://x/" },
    { ...MINTING, kind: "any" },
  ]);
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]).sort(),
    [
      "/0/subject",
      "/1/ports/0",
      "/1/subject",
      "/2",
      "/2/maxLifeSec",
      "/2/sandboxes",
      "/3/jwks",
      "/3/methods/0",
      "/3/ports",
      "/4/kind",
    ],
  );
  assert.match(problems.join("\n"), /Unrecognized key: "subject"/);
});

Deno.test("rulesFile() refuses keys that are secret, or for no accepted algorithm", async () => {
  const { jwks } = await createIssuer();
  for (
    const key of [
      { ...jwks.keys[0], d: "secret" },
      { kty: "oct", k: "c2VjcmV0" },
      { kty: "EC", crv: "P-384", x: "x", y: "y" },
      { kty: "OKP", crv: "X25519", x: "x" },
    ]
  ) {
    const rules = [{ ...MINTING, jwks: { keys: [key] } }];
    assert.match(
      problemsOf(rules).join(),
      /^\/0\/jwks\/keys\/0: /,
      JSON.stringify(key),
    );
  }
  assert.deepEqual(problemsOf([{ ...MINTING, jwks }]), []);
});

Deno.test("rulesFile() takes keys over plain http from this machine, from others only if that is allowed", () => {
  const local = [{ ...MINTING, jwks: "http://127.0.0.1:9/jwks" }];
  const remote = [{ ...MINTING, jwks: "http://issuer.internal/jwks" }];
  assert.deepEqual(problemsOf(local), []);
  assert.match(problemsOf(remote).join(), /^\/0\/jwks: must be https/);
  assert.deepEqual(
    problemsOf(remote, { ...CONTEXT, OIDC_ALLOW_INSECURE: true }),
    [],
  );
});

Deno.test("rulesFile() does not trust the issuer of logins, whose JWTs are for Daytona", () => {
  const issuer = "https://login.example.com/";
  const context = { ...CONTEXT, OIDC_DOMAIN: "https://login.example.com" };
  const problems = problemsOf([{ ...MAPPED, issuer }], context);
  assert.match(problems.join(), /^\/0\/issuer: must not be that of logins/);
});

Deno.test("rulesFile() takes JSON for rules, and nothing else", () => {
  const file = rulesFile("rules.json", CONTEXT);
  assert(contentOf(file, JSON.stringify([MAPPED])).ok);
  assert(!contentOf(file, JSON.stringify(MAPPED)).ok);
  assert.throws(() => file.parse("- kind: mapped"), SyntaxError);
});
