import assert from "node:assert/strict";
import { exitCodeOf, type Finding } from "../../scripts/doctor/finding.ts";
import {
  bySeverity,
  json,
  presentable,
  table,
} from "../../scripts/doctor/report.ts";

const OK: Finding = { name: "clock", state: "ok", finding: "Right." };
const FAILED: Finding = {
  name: "service key",
  state: "failed",
  finding: "Wrong.",
  hint: "Set it.",
};

Deno.test("table() aligns findings, each hint below its own, colours only where wanted", () => {
  assert.equal(
    table([OK, FAILED], { colors: false }),
    [
      "ok      clock        Right.",
      "failed  service key  Wrong.",
      "                     Set it.",
      "",
      "1 failed, 0 warnings",
      "",
    ].join("\n"),
  );
  assert.equal(
    table([OK], { colors: true }),
    "\x1b[32mok\x1b[0m  clock  Right.\n\n0 failed, 0 warnings\n",
  );
});

Deno.test("bySeverity() has failures first, then warnings, and the rest as it was", () => {
  const warning: Finding = { ...OK, state: "warning" };
  const skipped: Finding = { ...OK, state: "skipped" };
  const sorted = bySeverity([OK, skipped, warning, OK, FAILED]);
  assert.deepEqual(sorted, [FAILED, warning, OK, skipped, OK]);
  assert.match(table(sorted, { colors: false }), /\n1 failed, 1 warning\n$/);
});

Deno.test("json() is one document", () => {
  assert.deepEqual(JSON.parse(json([OK, FAILED])), { findings: [OK, FAILED] });
});

Deno.test("presentable() hides every secret of the environment, and control characters", () => {
  const [found] = presentable([{
    ...FAILED,
    finding: "service-key secret-two p@ssword p%40ssword \x1b[2J\n",
    hint: "redis-password",
  }], {
    PROXY_API_KEY: "service-key",
    SESSION_SECRETS: "secret-one, secret-two",
    CACHE_URL: "redis://user:p%40ssword@127.0.0.1",
    REDIS_PASSWORD: "redis-password",
    PROXY_DOMAIN: "preview.test",
  });
  assert.equal(
    found?.finding,
    "(hidden) (hidden) (hidden) (hidden)  [2J ",
  );
  assert.equal(found?.hint, "(hidden)");
});

Deno.test("exitCodeOf() fails for failures only", () => {
  const warning: Finding = { ...OK, state: "warning" };
  const skipped: Finding = { ...OK, state: "skipped" };
  assert.equal(exitCodeOf([OK, warning, skipped]), 0);
  assert.equal(exitCodeOf([OK, FAILED]), 1);
  assert.equal(exitCodeOf([{ ...FAILED, name: "configuration" }]), 2);
});
