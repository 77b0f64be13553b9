/** The preview warning, tested on the complete service. */
import assert from "node:assert/strict";
import { ORGANIZATION } from "../../../../scripts/stand_in/api_state.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  type Answer,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";

const NAVIGATION = {
  "accept": "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
};

const WARNING = { PREVIEW_WARNING_ENABLED: "true" };

function isWarning({ headers }: Answer): boolean {
  return headers.get("x-porthole-warning") === "1";
}

test("a navigation gets the warning first, whatever is behind the host, and causes no API call", async (startGateway) => {
  await using gateway = await startGateway(WARNING);
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
  const asked = api.calls.map(({ operation }) => operation);
  assert.deepEqual(asked.filter((name) => /sandbox|preview/i.test(name)), []);
  assert.equal(runner.seen.length, 0);
});

test("programs, and requests with X-Daytona-Skip-Preview-Warning, get no warning", async (startGateway) => {
  await using gateway = await startGateway(WARNING);
  for (
    const headers of [
      { accept: "*/*" },
      { ...NAVIGATION, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      { ...NAVIGATION, "x-daytona-skip-preview-warning": "true" },
    ]
  ) {
    const answer = await gateway.send(DEMO, { path: "/echo", headers });
    assert.deepEqual([answer.status, isWarning(answer)], [200, false]);
  }
});

Deno.test("at one's own Daytona, X-Daytona-Skip-Preview-Warning does not reach the app: there, no proxy needs it", async () => {
  await using gateway = await startGateway(WARNING);
  const headers = { ...NAVIGATION, "x-daytona-skip-preview-warning": "true" };
  const answer = await gateway.send(DEMO, { path: "/echo", headers });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(answer.body, /skip-preview-warning/i);
});

test("an acceptance leads on to the app and holds from then on, and its cookie does not reach the app", async (startGateway) => {
  await using gateway = await startGateway(WARNING);
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

Deno.test("the toolbox, where it is served, has no warning", async () => {
  await using gateway = await startGateway(WARNING);
  const answer = await gateway.send("proxy.localhost", {
    path: "/toolbox/locked/",
    headers: NAVIGATION,
  });
  assert.equal(isWarning(answer), false);
  assert.equal(answer.code, "login_required");
});

test("without PREVIEW_WARNING_ENABLED there is no warning", async (startGateway) => {
  await using gateway = await startGateway();
  const page = await gateway.send(DEMO, { path: "/echo", headers: NAVIGATION });
  assert.deepEqual([page.status, isWarning(page)], [200, false]);
});

test("the warning comes after what is wrong without a look-up, and the access log calls it by its name", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway(WARNING, { lines: log.lines });
  const headers = NAVIGATION;
  const wrong = await gateway.send(DEMO, { path: "/a/..%2fb", headers });
  assert.deepEqual([wrong.status, wrong.code], [400, "bad_target"]);
  const page = await gateway.send(DEMO, { path: "/a", headers });
  assert(isWarning(page));
  await gateway.service.close();
  const reasons = log.records().filter(({ message }) => message === "request")
    .map(({ status, reason }) => [status, reason]);
  assert.deepEqual(reasons, [[400, undefined], [200, "warning"]]);
});

Deno.test("without PREVIEW_WARNING_ENABLED the warning's path is the app's, unless somebody else's Daytona takes it for itself", async () => {
  await using gateway = await startGateway();
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

/** A gateway that asks the API, whose organizations want a warning or not. */
async function startAsking(
  isWanted: boolean,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  const gateway = await startGateway({
    PREVIEW_WARNING_ENABLED: "api",
    ...environment,
  });
  setWish(gateway, isWanted);
  return gateway;
}

function setWish({ stack }: TestGateway, previewWarningEnabled: boolean): void {
  stack.api.state.organizations.set(ORGANIZATION, { previewWarningEnabled });
}

Deno.test("with PREVIEW_WARNING_ENABLED=api, the sandbox's organization decides, and is asked once", async () => {
  for (const isWanted of [true, false]) {
    await using gateway = await startAsking(isWanted);
    const signed = `3000-${KEYS.signedToken}.proxy.localhost`;
    const headers = { ...NAVIGATION, "x-daytona-preview-token": "" };
    for (
      const [host, token] of [
        [DEMO, ""],
        [DEMO, ""],
        [LOCKED, KEYS.lockedToken],
        [signed, ""],
      ] as const
    ) {
      headers["x-daytona-preview-token"] = token;
      const page = await gateway.send(host, { path: "/echo", headers });
      assert.deepEqual([page.status, isWarning(page)], [200, isWanted], host);
      const script = await gateway.send(host, {
        path: "/echo",
        headers: { "x-daytona-preview-token": token },
      });
      assert.equal(isWarning(script), false);
    }
    assert.equal(gateway.stack.api.count("isPreviewWarningEnabled"), 2);
  }
});

Deno.test("with PREVIEW_WARNING_ENABLED=api, an acceptance leads on to the app", async () => {
  await using gateway = await startAsking(true);
  const accepted = await gateway.send(DEMO, {
    method: "POST",
    path: "/accept-daytona-preview-warning?redirect=/echo",
    headers: { "sec-fetch-site": "same-origin", "content-length": "0" },
  });
  const [cookie = ""] = (accepted.headers.get("set-cookie") ?? "").split(";");
  const headers = { ...NAVIGATION, cookie };
  const page = await gateway.send(DEMO, { path: "/echo", headers });
  assert.deepEqual([page.status, isWarning(page)], [200, false]);
  assert.equal(gateway.stack.api.count("isPreviewWarningEnabled"), 0);
});

Deno.test("with PREVIEW_WARNING_ENABLED=api, who is not admitted cannot tell a sandbox from none by the warning", async () => {
  await using gateway = await startAsking(true);
  const answers = [];
  for (const label of ["locked", crypto.randomUUID()]) {
    const host = `3000-${label}.proxy.localhost`;
    const answer = await gateway.send(host, { headers: NAVIGATION });
    answers.push([answer.status, answer.code, isWarning(answer)]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(gateway.stack.api.count("isPreviewWarningEnabled"), 0);
});

Deno.test("with PREVIEW_WARNING_ENABLED=api, the warning is shown if the API cannot tell", async () => {
  for (const kind of ["lacks it", "fails"]) {
    await using gateway = await startAsking(false);
    const { api } = gateway.stack;
    if (kind === "lacks it") api.state.lacks.add("isPreviewWarningEnabled");
    else {
      api.fault = ({ operation }, answer) =>
        operation === "isPreviewWarningEnabled"
          ? new Response("{}", { status: 401 })
          : answer();
    }
    const page = await gateway.send(DEMO, { headers: NAVIGATION });
    assert.equal(isWarning(page), true, kind);
  }
});

Deno.test("with PREVIEW_WARNING_ENABLED=api, an organization's change of mind counts within 2 minutes, and a wish for the warning within 30 s", async () => {
  using clock = fakeClock();
  await using gateway = await startAsking(false);
  const page = async () =>
    isWarning(
      await gateway.send(DEMO, { path: "/echo", headers: NAVIGATION }),
    );
  assert.equal(await page(), false);
  setWish(gateway, true);
  clock.pass(30_000);
  assert.equal(await page(), true);
  setWish(gateway, false);
  clock.pass(120_000);
  assert.equal(await page(), false);
});
