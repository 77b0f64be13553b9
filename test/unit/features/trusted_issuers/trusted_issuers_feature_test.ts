import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/config.ts";
import { sectionOf } from "../../../../src/config/section.ts";
import { readRules } from "../../../../src/features/trusted_issuers/rules.ts";
import {
  RulesInForce,
  trustedIssuersSettings,
} from "../../../../src/features/trusted_issuers/trusted_issuers_feature.ts";
import { SECTIONS } from "../../../../src/service.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { configOf, REQUIRED } from "../../../support/config.ts";

const RULE = {
  kind: "minting",
  issuer: "shop",
  audience: "previews",
  jwks: "https://shop.example.com/jwks",
  sandboxes: "*",
  ports: "*",
};

/** A file with that text. */
async function fileOf(text: string) {
  await Deno.mkdir("data/test", { recursive: true });
  const path = `data/test/issuers-${crypto.randomUUID()}.json`;
  await Deno.writeTextFile(path, text);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}

Deno.test("trusted_issuers reads its file with the settings, and does without one", async () => {
  await using file = await fileOf(JSON.stringify([RULE]));
  const config = configOf({ TRUSTED_ISSUERS_FILE: file.path });
  const { path, context } = sectionOf(config, trustedIssuersSettings);
  assert.equal(path, file.path);
  assert.deepEqual(context, {
    OIDC_ALLOW_INSECURE: false,
    OIDC_DOMAIN: undefined,
  });
  const without = sectionOf(configOf(), trustedIssuersSettings);
  assert.equal(without.path, undefined);
});

/** The rules in force by a file. */
function rulesBy({ path }: { readonly path: string }): RulesInForce {
  const { context } = sectionOf(configOf(), trustedIssuersSettings);
  return new RulesInForce(() => readRules(path, context));
}

Deno.test("the start tells every problem of the file", async () => {
  const rules = [{ ...RULE, ports: [2280] }, { ...RULE, subject: "x" }];
  await using file = await fileOf(JSON.stringify(rules));
  const env = { ...REQUIRED, TRUSTED_ISSUERS_FILE: file.path };
  const result = parseConfig(env, SECTIONS);
  assert(!result.ok);
  assert.deepEqual(
    result.problems.map(({ name, allowed }) => [name, allowed]),
    [
      "/0/ports/0: must be a port, and none of 2280, 22222 and 33333",
      '/1: Unrecognized key: "subject"',
    ].map((problem) => [
      "TRUSTED_ISSUERS_FILE",
      `the path of such a file: ${problem}`,
    ]),
  );
});

Deno.test("a changed file is in force when it is read again, and one that is no good changes nothing", async () => {
  await using file = await fileOf(JSON.stringify([RULE]));
  const rules = rulesBy(file);
  const issuers = () => rules.current.map(({ issuer }) => issuer);
  assert.deepEqual(issuers(), ["shop"]);
  for (const text of ["[", "{}", JSON.stringify([{ ...RULE, ports: [] }])]) {
    await Deno.writeTextFile(file.path, text);
    rules.reload();
    assert.deepEqual(issuers(), ["shop"], text);
  }
  await Deno.writeTextFile(
    file.path,
    JSON.stringify([{ ...RULE, issuer: "bank" }]),
  );
  rules.reload();
  assert.deepEqual(issuers(), ["bank"]);
  await Deno.writeTextFile(file.path, "[]");
  rules.reload();
  assert.deepEqual(issuers(), []);
});

Deno.test("a file is logged when it changes, not whenever it is read", async () => {
  await using file = await fileOf(JSON.stringify([RULE]));
  await using log = await collectLog();
  const rules = rulesBy(file);
  for (const text of [undefined, "[", undefined, "[]", undefined]) {
    if (text !== undefined) await Deno.writeTextFile(file.path, text);
    rules.reload();
  }
  await Deno.rename(file.path, `${file.path}.gone`);
  rules.reload();
  rules.reload();
  await Deno.rename(`${file.path}.gone`, file.path);
  assert.deepEqual(log.records().map(({ message }) => message), [
    "trusted issuers read",
    "trusted issuers refused, old kept",
    "trusted issuers read",
    "trusted issuers refused, old kept",
  ]);
});
