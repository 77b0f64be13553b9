/** A page on one port of a sandbox that calls an API on another, as it does on localhost: the commonest of full stacks. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { Page } from "../browser/page.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { startViteApp } from "../vite_app.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

/** The two ports, as their servers know them. */
const PAGE_PORT = 5173;
const API_PORT = 3001;

/** What an API on localhost says about CORS: it lets everybody in, or the page's address as the developer sees it. */
const ALLOWED = ["*", `http://localhost:${PAGE_PORT}`] as const;

/** Anybody may open both ports. */
export const fullStackInPublicSandbox: Scenario = {
  name: "Vite's page calls the API on another port of a public sandbox",
  run: (stage) => callAcrossPorts(stage, "demo"),
};

/** The session cookie opens both ports. */
export const fullStackInPrivateSandbox: Scenario = {
  name: "Vite's page calls the API on another port of a private sandbox",
  run: (stage) =>
    callAcrossPorts(
      stage,
      "locked",
      `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    ),
};

async function callAcrossPorts(
  stage: Stage,
  sandbox: string,
  opening = "/",
): Promise<void> {
  await using vite = await startViteApp({
    "index.html":
      '<!doctype html><title>Shop</title><h1></h1><script type="module" src="/main.js"></script>',
    "main.js": 'document.querySelector("h1").textContent = "Shop";',
  });
  stage.listen(sandbox, PAGE_PORT, vite.port);
  for (const allowed of ALLOWED) {
    await using api = serveApi(allowed);
    stage.listen(sandbox, API_PORT, api.port);
    // Of Vite's client, whose page is left before it has connected.
    const expectedErrors = /^\[vite\] failed to connect/;
    const page = await stage.open({ expectedErrors });
    await page.goto(stage.url(`${API_PORT}-${sandbox}`, opening));
    await page.goto(stage.url(`${PAGE_PORT}-${sandbox}`, opening));
    await page.shows("h1", "Shop");

    const url = stage.url(`${API_PORT}-${sandbox}`, "");
    assert.equal(await call(page, `${url}/who`, {}), "nobody");
    await call(page, `${url}/login`, { method: "POST" });
    assert.equal(await call(page, `${url}/who`, {}), "alice");
    // A preflight, and a bearer that is meant for the app.
    const headers = {
      "authorization": "Bearer of-the-app",
      "content-type": "application/json",
    };
    const options = { method: "PUT", headers, body: "{}" };
    assert.equal(await call(page, `${url}/bearer`, options), "of-the-app");

    await page.goto(`${url}/away`);
    await page.untilAt(stage.url(`${PAGE_PORT}-${sandbox}`, "/?landed"));
    await page.shows("h1", "Shop");
  }
}

/** What the API answers to a page that sends its cookies. */
async function call(
  page: Page,
  url: string,
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const init = JSON.stringify({ credentials: "include", ...options });
  return await page.evaluate<string>(
    `fetch(${JSON.stringify(url)}, ${init}).then((answer) => answer.text())`,
  );
}

/** An API whose answers have the CORS headers of Express' `cors({ origin })`. */
function serveApi(allowed: string) {
  return serveOnLoopback((request) => {
    const { pathname } = new URL(request.url);
    const asked = request.headers.get("access-control-request-headers");
    const headers = new Headers({ "access-control-allow-origin": allowed });
    if (request.method === "OPTIONS") {
      headers.set("access-control-allow-methods", "GET,PUT,POST,DELETE");
      if (asked !== null) headers.set("access-control-allow-headers", asked);
      return new Response(null, { status: 204, headers });
    }
    if (pathname === "/login") headers.set("set-cookie", "user=alice");
    if (pathname === "/away") {
      headers.set("location", `http://localhost:${PAGE_PORT}/?landed`);
      return new Response(null, { status: 302, headers });
    }
    const body = pathname === "/bearer"
      ? request.headers.get("authorization")?.replace("Bearer ", "")
      : /\buser=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
    return new Response(body ?? "nobody", { headers });
  });
}
