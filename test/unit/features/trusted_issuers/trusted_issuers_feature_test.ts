import assert from "node:assert/strict";
import type { GrantRequest } from "../../../../src/auth/grants.ts";
import { parseConfig } from "../../../../src/config/config.ts";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  trustedIssuers,
  trustedIssuersSettings,
} from "../../../../src/features/trusted_issuers/trusted_issuers_feature.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { Background } from "../../../../src/lib/background.ts";
import { SECTIONS } from "../../../../src/modules.ts";
import type { Budget } from "../../../../src/resolver/lookup_cache.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { createIssuer } from "../../../support/issuer.ts";
import { jwtOf } from "../../../support/jwt.ts";
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

Deno.test("the start tells every problem of the file", async () => {
  const rules = [{ ...RULE, ports: [2280] }, { ...RULE, subject: "x" }];
  await using file = await fileOf(JSON.stringify(rules));
  const env = { ...REQUIRED, TRUSTED_ISSUERS_FILE: file.path };
  const result = parseConfig(env, SECTIONS);
  assert(!result.ok);
  assert.deepEqual(
    result.problems.map(({ name, allowed }) => [name, allowed]),
    [
      "/0/ports/0: must be a port from 1 to 65535, and not 2280, 22222 or 33333",
      '/1: Unrecognized key: "subject"',
    ].map((problem) => [
      "TRUSTED_ISSUERS_FILE",
      `the path of such a file: ${problem}`,
    ]),
  );
});

/** The feature with a file of rules, and whether it trusts an issuer, as of the last time that it has read it. */
function featureOf({ path }: { readonly path: string }) {
  const config = configOf({ TRUSTED_ISSUERS_FILE: path });
  const { cache } = config;
  const background = new Background(() => {});
  const now = Date.now;
  const lookups = { cache, store: null, background, now, onEvent() {} };
  const asked: string[] = [];
  function secretFetch({ url }: Request): Promise<Response> {
    asked.push(url);
    return Promise.resolve(new Response(null, { status: 503 }));
  }
  const parts = { config, lookups, store: null, background, now, secretFetch };
  const feature = trustedIssuers.create(parts as unknown as FeatureParts);
  assert(feature?.judge);
  const { judge: grants } = feature;
  return {
    /** The URLs that it has asked. */
    asked,
    grants,
    trusts: (issuer: string) => grants.recognizes(jwtOf(issuer)),
    [Symbol.dispose]: () => feature.life?.close?.(),
  };
}

Deno.test("a changed file is in force within 5 s, and one that is no good changes nothing", async () => {
  using clock = fakeClock();
  await using file = await fileOf(JSON.stringify([RULE]));
  using feature = featureOf(file);
  assert(feature.trusts("shop"));
  for (const text of ["[", "{}", JSON.stringify([{ ...RULE, ports: [] }])]) {
    await Deno.writeTextFile(file.path, text);
    clock.pass(5000);
    assert(feature.trusts("shop"), text);
  }
  const bank = JSON.stringify([{ ...RULE, issuer: "bank" }]);
  await Deno.writeTextFile(file.path, bank);
  clock.pass(5000);
  assert(feature.trusts("bank") && !feature.trusts("shop"));
  await Deno.writeTextFile(file.path, "[]");
  clock.pass(5000);
  assert(!feature.trusts("bank"));
});

Deno.test("keys are asked for as the gateway asks others", async () => {
  await using file = await fileOf(JSON.stringify([RULE]));
  using feature = featureOf(file);
  const secret = await (await createIssuer())
    .sign({ iss: RULE.issuer, aud: RULE.audience });
  const opened = feature.grants.open(
    { secret, place: "bearer" },
    { sandboxId: "box", port: 3000 } as GrantRequest,
    { spend: () => {} } as unknown as Budget,
  );
  await assert.rejects(Promise.resolve(opened), { code: "issuer_unavailable" });
  assert.deepEqual(feature.asked, [RULE.jwks]);
});

Deno.test("a file is logged when it changes, not whenever it is read", async () => {
  using clock = fakeClock();
  await using file = await fileOf(JSON.stringify([RULE]));
  await using log = await collectLog();
  using _ = featureOf(file);
  for (const text of [undefined, "[", undefined, "[]", undefined]) {
    if (text !== undefined) await Deno.writeTextFile(file.path, text);
    clock.pass(5000);
  }
  await Deno.rename(file.path, `${file.path}.gone`);
  clock.pass(10_000);
  await Deno.rename(`${file.path}.gone`, file.path);
  const told = log.records().map((
    { message, problems },
  ) => [message, problems]);
  assert.deepEqual(told.map(([message]) => message), [
    "trusted issuers read",
    "trusted issuers refused, old kept",
    "trusted issuers read",
    "trusted issuers refused, old kept",
  ]);
  assert.deepEqual(told.at(-1)?.[1], [`${file.path} does not exist`]);
});

Deno.test("without a file there is no such feature", () => {
  const parts = { config: configOf() };
  assert.equal(trustedIssuers.create(parts as FeatureParts), undefined);
});
