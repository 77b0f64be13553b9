import { match, ok, strictEqual as equal } from "node:assert/strict";
import { get, type IncomingHttpHeaders } from "node:http";
import { startDemo } from "../../scripts/demo/gateway.ts";
import { samples, welcome } from "../../scripts/demo/welcome.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { createBrowser } from "../support/login.ts";
import { send } from "../support/send.ts";
import { untilReady } from "../support/ready.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Requests a URL from 127.0.0.1, as if `*.localhost` were resolved, and discards the body. */
function visit(url: string, headerLines: string[] = []): Promise<Answer> {
  const { host, port, pathname, search } = new URL(url);
  const headers = headerLines.map((line) => line.split(/: (.*)/, 2));
  const answer = Promise.withResolvers<Answer>();
  get({
    host: "127.0.0.1",
    port,
    path: pathname + search,
    headers: { host, ...Object.fromEntries(headers) },
    agent: false,
  }, (response) => {
    response.destroy();
    answer.resolve({
      status: response.statusCode,
      headers: response.headers,
    });
  }).once("error", answer.reject);
  return answer.promise;
}

for (const hosted of [false, true]) {
  const where = hosted ? ", in front of somebody else's Daytona too" : "";
  Deno.test(`startDemo() serves everything that the welcome text shows${where}`, async (t) => {
    await using demo = await startDemo(0, { hosted });
    await untilReady(demo.port);
    for (
      const {
        shows,
        url,
        curl = [
          "-H",
          "Sec-Fetch-Mode: navigate",
          "-H",
          "Sec-Fetch-Dest: document",
        ],
        status,
      } of samples(demo.port, hosted)
    ) {
      await t.step(shows, async () => {
        const headers = curl.filter((_, i) => curl[i - 1] === "-H");
        equal((await visit(url, headers)).status, status);
      });
    }
  });
}

Deno.test("a page of the demo leads to a dashboard that is there, and the base domain's page to all links", async () => {
  for (const hosted of [false, true]) {
    await using demo = await startDemo(0, { hosted });
    await untilReady(demo.port);
    const browser = createBrowser({ port: demo.port });
    const at = (label: string) =>
      `http://${label}proxy.localhost:${demo.port}/`;
    const { page: stopped } = await browser.open(at("3000-stopped."));
    const [, port] =
      /href="http:\/\/daytona\.localhost:(\d+)\/"/.exec(stopped.body) ?? [];
    const dashboard = await fetch(`http://127.0.0.1:${port}/`);
    match(await dashboard.text(), /<code>stopped<\/code> is stopped/);

    const { page: base } = await browser.open(at(""));
    for (const { url, curl } of samples(demo.port, hosted)) {
      if (curl !== undefined || url === at("")) continue;
      ok(base.body.includes(`<li><a href="${url}">`), url);
    }
  }
});

Deno.test("in the demo, a press of the button has a sandbox run, and one that fails says so", async () => {
  await using demo = await startDemo(0);
  const { port } = demo;
  await untilReady(port);
  const at = (id: string) => `http://3000-${id}.proxy.localhost:${port}/echo`;
  /** Logs in, and presses the button. */
  async function press(id: string) {
    const browser = createBrowser({ port });
    const { page } = await browser.openAs("alice", at(id));
    return { browser, page: (await browser.submit(page)).page };
  }
  const [asleep, failing, archived] = await Promise.all(
    ["asleep", "failing", "archived"].map(press),
  );
  equal(asleep?.page.headers.get("x-porthole-error"), "sandbox_starting");
  equal(failing?.page.headers.get("x-porthole-error"), "sandbox_starting");
  equal(archived?.page.headers.get("x-porthole-error"), "sandbox_restoring");
  for (
    const [id, start] of [["asleep", asleep], ["archived", archived]] as const
  ) {
    let status: number | undefined;
    await assertEventually(async () => {
      status = (await start?.browser.open(at(id)))?.page.status;
      return status !== 503;
    }, `${id} runs`);
    equal(status, 200);
  }
  const { page } = await failing?.browser.open(at("failing")) ?? {};
  equal(page?.headers.get("x-porthole-error"), "sandbox_error");
  match(page?.body ?? "", /no space left on device/);
});

Deno.test("startDemo() leads to the machine's own ports", async () => {
  await using demo = await startDemo(0);
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, () => new Response(null, { status: 418 }));

  equal(
    (await visit(
      `http://${server.addr.port}-demo.proxy.localhost:${demo.port}/`,
    )).status,
    418,
  );
});

Deno.test("welcome() quotes arguments for a shell", () => {
  const text = welcome(4000, { hosted: false, product: undefined });

  ok(
    text.includes("curl 'http://3000-demo.proxy.localhost:4000/echo?q=(x)'\n"),
  );
  ok(
    text.includes(
      "curl -H 'X-Daytona-Preview-Token: locked-token' http://3000-locked.proxy.localhost:4000/echo\n",
    ),
  );
  ok(text.includes("http://5173-demo.proxy.localhost:4000/"));
});

/** Runs the README's first command. */
function runDemo(port: number, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command("deno", {
    args: ["run", "--quiet", "-P=demo", "scripts/demo.ts", ...args],
    env: { PROXY_PORT: String(port), NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("demo.ts says how to choose another port where its own is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;

  const { code, stderr } = await runDemo(port).output();

  equal(code, 1);
  const text = new TextDecoder().decode(stderr);
  ok(text.includes(`Port ${port} is taken`), text);
  ok(text.includes("PROXY_PORT="), text);
});

async function printsLinksAndEnds(...args: string[]): Promise<void> {
  await using demo = runDemo(0, ...args);
  const stderr = new Response(demo.stderr).text();
  const reader = demo.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }

  const [url = ""] = /http:\/\/3000-demo\S+/.exec(text) ?? [];
  equal((await visit(url)).status, 200);
  const { port } = new URL(url);
  await untilReady(Number(port));
  const browser = createBrowser({ port: 80 });
  const locked = await browser.open(url.replace("demo", "locked"));
  const { page } = await browser.logIn(locked.page, "alice");
  equal(page.status, 200);
  match(page.body, /^<!doctype html>/);
  demo.kill("SIGINT");
  const { code, signal } = await demo.status;
  match(await stderr, /^(?:Starting\. .*\n)?$/);
  equal(code, 0);
  equal(signal, null);
  await reader.cancel();
}

Deno.test("demo.ts prints its links, lets people log in, and ends cleanly on Ctrl-C", () =>
  printsLinksAndEnds());

Deno.test("demo.ts --hosted lets people log in at the operator's own provider, and ends cleanly", () =>
  printsLinksAndEnds("--hosted"));

Deno.test("demo.ts --embed shows a page of another origin, whose backend gets an embed of an app of Vite's", async () => {
  await using demo = runDemo(0, "--embed");
  const reader = demo.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  const [url = ""] = /http:\/\/product\.\S+/.exec(text) ?? [];
  const { host, port } = new URL(url);
  const product = { port: Number(port) };
  const { body } = await send(host, product);
  const [, gateway = "", module = ""] =
    /from "http:\/\/(proxy\.localhost:\d+)(\S+)";/.exec(body) ?? [];
  const at = { port: Number(gateway.split(":")[1]) };
  await untilReady(at.port);
  equal((await send(gateway, { ...at, path: module })).status, 200);

  const asked = { ...product, path: "/preview", method: "POST" };
  equal((await send(host, asked)).status, 403);
  const headers = { "sec-fetch-site": "same-origin" };
  let made = await send(host, { ...asked, headers });
  await assertEventually(async () => {
    // A busy disk may take longer than the second that a write has.
    if (made.status === 503) made = await send(host, { ...asked, headers });
    else equal(made.status, 201, made.body);
    return made.status === 201;
  }, "an embed is made");
  const embed = made.json();
  const preview = new URL(String(embed.url)).host;
  match(preview, /^\d+-locked\.proxy\.localhost:\d+$/);
  const authorization = `Bearer ${KEYS.user}`;
  await assertEventually(async () => {
    const page = await send(preview, { ...at, headers: { authorization } });
    return page.body.includes("/@vite/client");
  }, "the app is there");

  demo.kill("SIGINT");
  equal((await demo.status).code, 0);
  await demo.stderr.cancel();
  await reader.cancel();
});

Deno.test("demo.ts refuses an option that it does not have", async () => {
  const { code, stderr } = await runDemo(0, "--hostd").output();
  equal(code, 2);
  match(new TextDecoder().decode(stderr), /^usage: /m);
});
