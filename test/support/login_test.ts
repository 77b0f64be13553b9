import assert from "node:assert/strict";
import { type Browser, createBrowser, type Hop } from "./login.ts";

interface World extends AsyncDisposable {
  readonly browser: Browser;
  /** The port that the server listens on. */
  readonly port: number;
}

/** Starts a server for all hosts; the path of a redirect is its status, and the query is its Location. */
function startWorld(): World {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const { hostname, pathname, search } = new URL(request.url);
    const headers = { "set-cookie": `seen=${hostname}; Path=/` };
    const status = Number(pathname.slice(1));
    return status > 0
      ? new Response(null, {
        status,
        headers: { ...headers, location: decodeURIComponent(search.slice(1)) },
      })
      : new Response(`${FORM} ${await request.text()}`, { headers });
  });
  const { port } = server.addr;
  return {
    browser: createBrowser({ port }),
    port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const FORM = '<button name="user" value="alice">';

function to(location: string, status = 302): string {
  return `/${status}?${encodeURIComponent(location)}`;
}

function sites(hops: readonly Hop[]): (string | null)[] {
  return hops.map(({ sent }) => sent.get("sec-fetch-site"));
}

Deno.test("browser opens a typed address as a top-level navigation", async () => {
  await using world = startWorld();

  const { page } = await world.browser.open("http://a.localhost/x?y");

  assert.equal(page.url, "http://a.localhost/x?y");
  assert.equal(page.status, 200);
  assert.equal(page.sent.get("host"), "a.localhost");
  assert.match(page.sent.get("accept") ?? "", /^text\/html,/);
  assert.equal(page.sent.get("sec-fetch-mode"), "navigate");
  assert.equal(page.sent.get("sec-fetch-dest"), "document");
  assert.deepEqual(sites([page]), ["none"]);
});

Deno.test("browser follows redirects across hosts with each one's cookies", async () => {
  await using world = startWorld();
  const { browser, port } = world;
  await browser.open("http://a.localhost/");

  const { hops, page } = await browser.open(
    `http://a.localhost${
      to(`http://127.0.0.1:${port}${to("http://a.localhost/end")}`)
    }`,
  );

  assert.equal(page.url, "http://a.localhost/end");
  assert.deepEqual(
    hops.map(({ sent }) => sent.get("cookie")),
    ["seen=a.localhost", null, "seen=a.localhost"],
  );
  assert.deepEqual(sites(hops), ["none", "none", "none"]);
  assert.equal(browser.jar.cookies.length, 2);
});

Deno.test("browser sends the Sec-Fetch-Site of the farthest redirect so far", async () => {
  await using world = startWorld();
  const { browser, port } = world;
  const form: Hop = {
    ...(await browser.open("http://x.a.localhost/")).page,
    url: `http://x.a.localhost${
      to(
        `http://y.a.localhost${
          to(`http://127.0.0.1:${port}${to("http://x.a.localhost/", 303)}`)
        }`,
        307,
      )
    }`,
  };

  const { hops } = await browser.logIn(form, "alice");

  assert.deepEqual(hops.map(({ method }) => method), [
    "POST",
    "POST",
    "GET",
    "GET",
  ]);
  assert.deepEqual(sites(hops), [
    "same-origin",
    "same-site",
    "cross-site",
    "cross-site",
  ]);
});
