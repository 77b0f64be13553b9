/** Texts that other programs write: answers of the Daytona API and of runners, and entries in Redis. */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  formatEnvelope,
  parseEnvelope,
  timedEntry,
} from "../../../src/cache/redis/format.ts";
import type { JsonValue } from "../../../src/cache/store.ts";
import {
  runnerAnswer,
  sandboxAnswer,
  snapshotAnswer,
} from "../../../src/daytona/models.ts";
import {
  configAnswer,
  proxyDomainOf,
} from "../../../src/daytona/remote_config.ts";
import { ERRORS } from "../../../src/error_codes.ts";
import { refusalOf } from "../../../src/resolver/refusals/runner_messages.ts";
import { runnerBase } from "../../../src/resolver/own/runner.ts";
import { requestHead } from "../../../src/upstream/http1/request_head.ts";
import { requestOf } from "../../support/upstream.ts";
import { anyText, cases, HOSTILE, mutated } from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const url = mutated(
  fc.constantFrom(
    "https://runner.example:3003/base/",
    "http://10.0.0.1",
    "http://[2001:db8::1]:80//",
  ).chain(cases),
  [...HOSTILE, "user@", "///", "/..", "0x7f.1", ":99999", "xn--", "%2e%2e/"],
);

const JUNK = fc.oneof(
  anyText,
  fc.constantFrom(null, undefined, true, 0, -1, 1e400),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Objects with some of the members, each valid or not. */
function nearly(
  members: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<unknown> {
  const loose = Object.entries(members).map(([name, value]) =>
    [name, fc.oneof({ weight: 6, arbitrary: value }, JUNK)] as const
  );
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record(Object.fromEntries(loose), { requiredKeys: [] }),
    },
    {
      weight: 8,
      arbitrary: fc.record({ ...members }),
    },
    JUNK,
  );
}

const runner = nearly({
  id: fc.constant("runner-1"),
  proxyUrl: url,
  apiUrl: fc.oneof(url, fc.constantFrom(null, "")),
  apiKey: fc.constantFrom("key", "k e y", ""),
});

const config = nearly({
  oidc: nearly({
    issuer: anyText,
    clientId: anyText,
    audience: anyText,
  }),
  ssoOidc: nearly({ issuer: anyText, clientId: anyText }),
  proxyTemplateUrl: anyText,
  proxyToolboxUrl: anyText,
  dashboardUrl: anyText,
});

const sandbox = nearly({
  id: anyText,
  organizationId: anyText,
  public: fc.boolean(),
  state: anyText,
  desiredState: anyText,
  errorReason: anyText,
  spotEvictedAt: anyText,
  queueTimedOutAt: anyText,
  recoverable: fc.boolean(),
  labels: nearly({ "app": anyText }),
  runnerId: anyText,
  buildInfo: nearly({ snapshotRef: anyText }),
});

const template = mutated(
  fc.constantFrom(
    "https://{{PORT}}-{{sandboxId}}.proxy.example.com:4000",
    "http://{{PORT}}-{{sandboxId}}.proxy.localhost/",
  ),
  [...HOSTILE, ":65536", "{{PORT}}", "evil.example", "@"],
);

const refusal = nearly({
  statusCode: fc.constantFrom(400, 401, 404),
  message: fc.constantFrom(
    "container not found",
    "Is the Sandbox started?",
    "no",
  ),
  path: fc.constantFrom("/sandboxes/box/toolbox", "/sandboxes/other/x", "/"),
});

const TIMES = ["0", "1", "2", "-1", "1e400", '"1"', "null"];

/** JSON text, possibly broken. */
const jsonText = fc.oneof(
  fc.tuple(...Array.from({ length: 3 }, () => fc.constantFrom(...TIMES))).map((
    [a, b, c],
  ) => `{"value":1,"refreshAt":${a},"expiresAt":${b},"staleUntil":${c}}`),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  mutated(
    fc.constantFrom(
      '{"value":{"a":1},"refreshAt":1,"expiresAt":2,"staleUntil":3}',
      '{"value":null}',
    ),
    [...HOSTILE, "null", "{", "1e999", "-1", '"value":', "[".repeat(5000)],
  ),
);

const time = fc.integer({ min: 0, max: 2 ** 45 });

/** Properties of the parsers of texts by other programs. */
export const storedProperties: readonly Property[] = [
  property(
    "a runner's record is refused or has URLs that requests can be sent to",
    runner,
    (answer) => {
      const parsed = runnerAnswer.safeParse(answer).data;
      if (parsed === undefined) return;
      for (const url of [parsed.proxyUrl, parsed.apiUrl ?? parsed.proxyUrl]) {
        const { origin, authority, path } = runnerBase(url);
        assert.match(path, /^(?:\/.*[^/])?$/);
        assert.ok(origin.port >= 0 && origin.port <= 65535);
        const head = requestHead(
          requestOf({
            target: `${path}/sandboxes/box`,
            headers: [["host", authority]],
          }),
          { upgrade: false },
        );
        const [, target] = head.split(" ");
        assert.ok(!/\/\.{1,2}\//.test(target ?? ""));
        assert.ok(url.length > 0);
      }
    },
  ),

  property(
    "answers of the API are refused or have all of their members",
    fc.tuple(sandbox, config),
    ([sandbox, config]) => {
      const parsed = sandboxAnswer.safeParse(sandbox).data;
      if (parsed !== undefined) {
        assert.equal(Object.keys(parsed).length, 11);
        assert.ok(parsed.ended === null || parsed.ended.endedAt > 0);
        assert.equal(Object.values<unknown>(parsed).includes(undefined), false);
        assert.notEqual(parsed.runnerId, "");
        assert.notEqual(parsed.snapshotRef, "");
      }
      snapshotAnswer.safeParse(sandbox);
      const known = configAnswer.safeParse(config).data;
      if (known !== undefined && known.oidc !== null) {
        assert.ok(known.oidc.issuer.length > 0);
      }
    },
  ),

  property(
    "proxyDomainOf() returns null or the host of the template's URLs",
    template,
    (text) => {
      const domain = proxyDomainOf(text);
      if (domain === null) return;
      const url = URL.parse(
        text.replace(/\{\{PORT\}\}/i, "3000").replace(
          /\{\{sandboxId\}\}/i,
          "x",
        ),
      );
      // A host whose last label is all digits is taken for an IPv4 address, an invalid one, so nobody can open it.
      if (url === null) return assert.match(domain.domain, /(?:^|\.)\d+$/);
      assert.equal(url.protocol, `${domain.protocol}:`);
      assert.match(domain.domain, /^[a-z0-9.-]+$/);
      assert.equal(url.pathname + url.search + url.username, "/");
    },
  ),

  property(
    "refusalOf() returns a code of the gateway's or undefined, whatever the body is",
    fc.tuple(
      fc.constantFrom(400, 401, 404),
      fc.oneof(refusal.map((body) => JSON.stringify(body) ?? ""), jsonText),
    ),
    ([status, body]) => {
      const code = refusalOf(status, body, "box");
      if (code === undefined) return;
      assert.ok(Object.hasOwn(ERRORS, code));
      assert.equal(JSON.parse(body).statusCode, status);
    },
  ),

  property(
    "an entry for Redis reads back as it was written",
    fc.record({
      value: fc.jsonValue(),
      times: fc.tuple(time, time, time),
    }),
    ({ value, times }) => {
      const [refreshAt = 0, expiresAt = 0, staleUntil = 0] = times.toSorted(
        (a, b) => a - b,
      );
      const entry = {
        value: JSON.parse(JSON.stringify(value)) as JsonValue,
        refreshAt,
        expiresAt,
        staleUntil,
      };
      assert.deepEqual(parseEnvelope(formatEnvelope(entry)), entry);
    },
  ),

  property(
    "parseEnvelope() takes any text, and the times of an accepted entry are in order",
    fc.tuple(jsonText, fc.constantFrom(-1, 0, 5000, 2 ** 40)),
    ([text, ttlMs]) => {
      const parsed = parseEnvelope(text);
      if (parsed === undefined) return;
      assert.notEqual(parsed.value, undefined);
      const entry = parsed.expiresAt === undefined
        ? timedEntry(parsed, { ttlMs, now: 1000 })
        : parsed;
      assert.ok(entry.refreshAt <= entry.expiresAt);
      assert.ok(entry.expiresAt <= entry.staleUntil);
      assert.ok(Number.isFinite(entry.staleUntil));
    },
  ),
];
