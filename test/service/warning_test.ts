/** The preview warning, tested on the complete service. */
import assert from "node:assert/strict";
import {
  type Answer,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";

const NAVIGATION = {
  "accept": "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
};

function startWarning(): Promise<TestGateway> {
  return startGateway({ PREVIEW_WARNING_ENABLED: "true" });
}

function isWarning({ headers }: Answer): boolean {
  return headers.get("x-porthole-warning") === "1";
}

Deno.test("a navigation gets the warning first, whatever is behind the host, and causes no API call", async () => {
  await using gateway = await startWarning();
  const pages = [];
  for (const label of ["demo", "locked", crypto.randomUUID()]) {
    const host = `3000-${label}.proxy.localhost`;
    const page = await gateway.send(host, { headers: NAVIGATION });
    assert.equal(page.status, 200);
    assert(isWarning(page), label);
    pages.push(page.body.replaceAll(host, "HOST"));
  }
  assert.equal(new Set(pages).size, 1);
  const { api, runner } = gateway.stack;
  assert.equal(api.count("isSandboxPublic"), 0);
  assert.equal(runner.seen.length, 0);
});

Deno.test("programs, and requests with X-Daytona-Skip-Preview-Warning, get no warning", async () => {
  await using gateway = await startWarning();
  for (
    const headers of [
      { accept: "*/*" },
      { ...NAVIGATION, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      { ...NAVIGATION, "x-daytona-skip-preview-warning": "true" },
    ]
  ) {
    const answer = await gateway.send(DEMO, { path: "/echo", headers });
    assert.equal(isWarning(answer), false);
    assert.doesNotMatch(answer.body, /skip-preview-warning/i);
  }
});

Deno.test("an acceptance leads on to the app and holds from then on, and its cookie does not reach the app", async () => {
  await using gateway = await startWarning();
  const path = "/accept-daytona-preview-warning";
  const accepted = await gateway.send(DEMO, {
    method: "POST",
    path: `${path}?redirect=${encodeURIComponent("/echo?a")}`,
    headers: { "sec-fetch-site": "same-origin", "content-length": "0" },
  });
  assert.equal(accepted.status, 303);
  assert.match(accepted.headers.get("location") ?? "", /\/echo\?a$/);
  const [cookie = ""] = (accepted.headers.get("set-cookie") ?? "").split(";");
  const page = await gateway.send(DEMO, {
    path: "/echo",
    headers: { ...NAVIGATION, cookie: `mine=1; ${cookie}` },
  });
  assert.equal(isWarning(page), false);
  const seen = page.echoed();
  assert.equal(seen.get("cookie"), "mine=1");

  const elsewhere = await gateway.send(LOCKED, {
    headers: { ...NAVIGATION, cookie },
  });
  assert(isWarning(elsewhere));
  const forged = await gateway.send(DEMO, {
    method: "POST",
    path,
    headers: { "sec-fetch-site": "same-site", "content-length": "0" },
  });
  assert.equal(forged.status, 403);
});

Deno.test("the toolbox has no warning", async () => {
  await using gateway = await startWarning();
  const answer = await gateway.send("proxy.localhost", {
    path: "/toolbox/locked/",
    headers: NAVIGATION,
  });
  assert.equal(isWarning(answer), false);
  assert.equal(answer.code, "login_required");
});

Deno.test("without PREVIEW_WARNING_ENABLED there is no warning, and its path is the app's", async () => {
  await using gateway = await startGateway();
  const page = await gateway.send(DEMO, { path: "/echo", headers: NAVIGATION });
  assert.equal(isWarning(page), false);
  await gateway.send(DEMO, {
    method: "POST",
    path: "/accept-daytona-preview-warning",
    headers: { "content-length": "0" },
  });
  assert.match(
    gateway.stack.runner.seen.at(-1)?.target ?? "",
    /\/proxy\/3000\/accept-daytona-preview-warning$/,
  );
});
