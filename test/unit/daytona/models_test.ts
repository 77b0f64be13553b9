import assert from "node:assert/strict";
import {
  runnerAnswer,
  sandboxAnswer,
  snapshotAnswer,
} from "../../../src/daytona/models.ts";

const RUNNER = {
  proxyUrl: "https://runner.example/base",
  apiUrl: "http://10.0.0.7:3001",
  apiKey: "key",
};

Deno.test("runnerAnswer takes http and https bases and drops their trailing slash", () => {
  const read = runnerAnswer.parse({
    ...RUNNER,
    proxyUrl: "https://runner.example/base/",
    apiUrl: "http://[fd00::7]:3001//",
  });
  assert.deepEqual(read, {
    ...RUNNER,
    proxyUrl: "https://runner.example/base",
    apiUrl: "http://[fd00::7]:3001",
  });
});

Deno.test("runnerAnswer refuses a URL that is no base", () => {
  const urls = [
    "",
    "runner.example",
    "ftp://runner.example",
    "javascript:alert(1)",
    "http://user@runner.example",
    "http://user:secret@runner.example",
    "http://runner.example/?a",
    "http://runner.example/#a",
    "http://runner.example/ a",
    "http:\\\\runner.example",
    "http://",
    "http://runner.example:99999",
  ];
  for (const url of urls) {
    const read = runnerAnswer.safeParse({ ...RUNNER, proxyUrl: url });
    assert.equal(read.success, false, url);
    if (url === "") continue;
    assert.equal(
      runnerAnswer.safeParse({ ...RUNNER, apiUrl: url }).success,
      false,
      url,
    );
  }
});

Deno.test("runnerAnswer accepts a runner without an API of its own, but not without previews or a key", () => {
  for (const apiUrl of [undefined, null, ""]) {
    assert.equal(runnerAnswer.parse({ ...RUNNER, apiUrl }).apiUrl, null);
  }
  for (const field of ["proxyUrl", "apiKey"]) {
    for (const value of [undefined, null, "", 7]) {
      const read = runnerAnswer.safeParse({ ...RUNNER, [field]: value });
      assert.equal(read.success, false, `${field}: ${value}`);
    }
  }
});

Deno.test("runnerAnswer refuses a key that cannot be sent", () => {
  const read = runnerAnswer.safeParse({ ...RUNNER, apiKey: "a\r\nb" });
  assert.equal(read.success, false);
});

const UNKNOWN = {
  id: null,
  organizationId: null,
  public: null,
  state: null,
  desiredState: null,
  errorReason: null,
  recoverable: false,
  labels: {},
  runnerId: null,
  snapshotRef: null,
  ended: null,
};

Deno.test("sandboxAnswer reads null for what the API does not tell, as of a sandbox that was never built or placed", () => {
  for (const nothing of [undefined, null]) {
    const read = sandboxAnswer.parse({
      id: "s1",
      public: nothing,
      labels: nothing,
      state: nothing,
      recoverable: nothing,
      runnerId: nothing,
      buildInfo: nothing,
      spotEvictedAt: nothing,
      queueTimedOutAt: nothing,
    });
    assert.deepEqual(read, { ...UNKNOWN, id: "s1" });
  }
});

Deno.test("sandboxAnswer reads how and when Daytona has ended a sandbox by itself, and no nonsense", () => {
  const at = "2026-07-15T12:00:00.000Z";
  const endedAt = Date.parse(at);
  for (
    const [members, ended] of [
      [{ spotEvictedAt: at }, { code: "sandbox_evicted", endedAt }],
      [{ queueTimedOutAt: at }, { code: "sandbox_not_placed", endedAt }],
      [{ spotEvictedAt: "", queueTimedOutAt: "soon" }, null],
    ] as const
  ) assert.deepEqual(sandboxAnswer.parse(members), { ...UNKNOWN, ended });
});

Deno.test("sandboxAnswer and snapshotAnswer require only what build logs need, and refuse anything but an object", () => {
  assert.deepEqual(
    sandboxAnswer.parse({ runnerId: "r1", buildInfo: { snapshotRef: "x:1" } }),
    { ...UNKNOWN, runnerId: "r1", snapshotRef: "x:1" },
  );
  assert.deepEqual(
    snapshotAnswer.parse({ ref: "x:1", initialRunnerId: "r1" }),
    { ref: "x:1", initialRunnerId: "r1" },
  );
  for (const body of [undefined, null, "<html>", 7, []]) {
    assert.equal(sandboxAnswer.safeParse(body).success, false, String(body));
    assert.equal(snapshotAnswer.safeParse(body).success, false, String(body));
  }
});

Deno.test("snapshotAnswer reads null for a reference and a runner that are not known yet", () => {
  assert.deepEqual(snapshotAnswer.parse({ id: "p1", ref: "" }), {
    ref: null,
    initialRunnerId: null,
  });
});
