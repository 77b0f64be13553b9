/** What the pages of errors say to whom, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { BASE, startGateway } from "../support/gateway.ts";
import { startLoginGateway } from "../support/login_gateway.ts";
import { untilReady } from "../support/ready.ts";
import type { SendOptions } from "../support/send.ts";

/** A browser that shows the response in a window. */
const PAGE = { "sec-fetch-mode": "navigate", accept: "text/html" };

const DASHBOARD = '<a href="http://proxy.localhost/dashboard"';

Deno.test("a page without access names what its visitor has named, and is the same whether or not there is such a sandbox", async () => {
  await using gateway = await startGateway();
  await untilReady(gateway.port);
  async function pageOf(
    port: number,
    label: string,
    options: SendOptions,
  ): Promise<string> {
    const { headers, path } = options;
    const { body } = await gateway.send(`${port}-${label}.${BASE}`, {
      headers: { ...PAGE, ...headers },
      ...path !== undefined && { path },
    });
    const named = `<dt>Sandbox</dt><dd class="name">${label}</dd>
<dt>Port</dt><dd class="name">${port}</dd>`;
    assert.ok(body.includes(named), body);
    return body.replaceAll(label, "sandbox")
      .replace(/<code>[\w-]+<\/code><\/dd>/, ""); // the request's ID
  }
  const wrong = { "x-daytona-preview-token": "wrong" };
  for (
    const [port, options, code] of [
      [2280, {}, "login_required"],
      [2280, { headers: wrong }, "credential_invalid"],
      [3000, { path: "/?DAYTONA_SANDBOX_AUTH_KEY=w" }, "credential_invalid"],
    ] as const
  ) {
    const there = await pageOf(port, "locked", options);
    const nowhere = await pageOf(port, "nosuch", options);
    assert.equal(there, nowhere);
    assert.ok(there.includes(`/docs#${code}"`));
    assert.doesNotMatch(there, /<dt>State/);
  }
});

Deno.test("a page that a signed link leads to does not repeat the link", async () => {
  await using gateway = await startGateway();
  await untilReady(gateway.port);
  gateway.stack.runner.containers.get("locked")?.ports.set(3000, 1);
  for (
    const [token, code] of [
      [KEYS.signedToken, "port_closed"],
      ["0123456789abcdef", "signed_token_invalid"],
    ] as const
  ) {
    const page = await gateway.send(`3000-${token}.${BASE}`, { headers: PAGE });
    assert.equal(page.code, code);
    assert.doesNotMatch(page.body, new RegExp(`${token}|<dt>Sandbox`));
    assert.match(page.body, /<dt>Port<\/dt><dd class="name">3000</);
    assert.ok(!page.body.includes(DASHBOARD));
  }
});

Deno.test("who has logged in without access reads what for, and the way to Daytona", async () => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const { page } = await browser.openAs(
    "mallory",
    gateway.at("3000-locked", "/a"),
  );
  assert.equal(page.headers.get("x-porthole-error"), "no_access");
  assert.match(page.body, /<dt>Logged in as<\/dt><dd class="name">mallory/);
  assert.match(page.body, /<dt>Sandbox<\/dt><dd class="name">locked</);
  assert.match(page.body, /<dt>Port<\/dt><dd class="name">3000</);
  assert.ok(page.body.includes(DASHBOARD));
  assert.ok(page.body.includes(`href="${gateway.at("", "/docs")}#no_access"`));
});

Deno.test("who mistypes a preview's address reads what it would be here, and gets a link to it", async () => {
  await using gateway = await startGateway();
  const host = `box-3000.${BASE}:8443`;
  const { code, body } = await gateway.send(host, { headers: PAGE });
  assert.equal(code, "bad_host");
  assert.ok(body.includes(`looks like 3000-sandboxid.${BASE}:8443;`), body);
  assert.ok(
    body.includes(
      `href="http://3000-box.${BASE}:8443/" data-here>Open 3000-box.${BASE}:8443<`,
    ),
  );
  const program = await gateway.send(host);
  assert.match(
    program.body,
    /looks like 3000-sandboxid\.proxy\.localhost:8443;/,
  );
});

Deno.test("/docs and /docs/apps have the domain of who reads them in their examples", async () => {
  await using gateway = await startGateway();
  for (const path of ["/docs", "/docs/apps"]) {
    const { body } = await gateway.send(`${BASE}:8443`, { path });
    assert.doesNotMatch(body, /example\.com|\{domain\}/);
    assert.match(body, /\{sandbox\}\.proxy\.localhost:8443</);
    const elsewhere = await gateway.send("192.0.2.7", { path });
    assert.doesNotMatch(elsewhere.body, /192\.0\.2\.7/);
  }
});

Deno.test("/docs has the codes first, one row for each route, and the name of each cell's column", async () => {
  await using gateway = await startGateway();
  const { body } = await gateway.send(BASE, { path: "/docs" });
  const codes = body.indexOf('id="errors"');
  assert.ok(codes > 0 && codes < body.indexOf('id="routes"'));
  assert.match(body, /<a href="#errors">[^]*<a href="#routes">/);
  const toolbox = "GET, POST, PUT, PATCH, DELETE /toolbox/{sandboxId}/{path}";
  assert.equal(body.split("/toolbox/{sandboxId}").length, 2);
  assert.ok(body.includes(`<code>${toolbox}</code>`));
  assert.doesNotMatch(body, /<td>/);
  const apps = await gateway.send(BASE, { path: "/docs/apps" });
  assert.match(apps.body, /<td data-label="Label">/);
  assert.doesNotMatch(apps.body, /<td>/);
});

Deno.test("the type of every problem document is where /docs describes its code, on the host that the client knows", async () => {
  await using gateway = await startGateway();
  const docs = await gateway.send(BASE, { path: "/docs" });
  for (
    const [host, path, code] of [
      [`3000-stopped.${BASE}`, "/", "sandbox_stopped"],
      [`2280-locked.${BASE}:8443`, "/", "login_required"],
      [BASE, "/nowhere", "route_not_found"],
      [BASE, "/toolbox/locked/files", "login_required"],
      [BASE, "/toolbox/..%2f/x", "bad_target"],
      [BASE, "/snapshots/nosuch/build-logs", "login_required"],
      ["127.0.0.1", "/nowhere", "route_not_found"],
    ] as const
  ) {
    const answer = await gateway.send(host, { path });
    assert.equal(answer.code, code);
    const base = host.replace(/^[0-9]+-\w+\./, "");
    assert.equal(answer.json().type, `http://${base}/docs#${code}`);
    assert.ok(docs.body.includes(`<tr id="${code}">`), code);
  }
  // There, /docs would be refused as well.
  for (const host of [`x.${BASE}`, "3000-demo.elsewhere.example"]) {
    const answer = await gateway.send(host);
    assert.equal(answer.json().type, "about:blank");
  }
});
