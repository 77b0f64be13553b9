/** The page of what members have let others in by: over an API of the test's, which can refuse, and over the real one. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../../../src/error_codes.ts";
import type { ErrorAdvice } from "../../../../src/errors.ts";
import {
  ACCESS_HEADERS,
  accessPageOf,
} from "../../../../src/features/access_page/access_page.ts";
import { problem } from "../../../../src/pages/problem.ts";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { Page } from "../browser/page.ts";
import type { OpenOptions, Scenario } from "../scenario.ts";
import { checkAccessibility } from "./accessibility.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light", window: { width: 1200, height: 900 } },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
};

/** What the API may refuse with, and what the page says then. */
const REFUSALS: readonly (readonly [ErrorCode, RegExp])[] = [
  ["feature_off", /switched off\. .* operator/],
  ["records_unavailable", /\. The store of .* could not be reached/],
  ["sandbox_deleted", /deleted/],
  ["not_found", /There is no such thing\. .* may not see it/],
  ["records_full", /too many of these\. .* as many as it may have/],
  ["too_many_refusals", /in a moment/],
];

/** What has a section of its own. */
const KINDS = ["shares", "tokens", "names", "embeds"];

/** What is said of tokens; and of any kind, in the page. */
const STATE = "#tokens [role=status]";
const STATE_OF = "((kind) => document.querySelector(`#${kind} [role=status]`))";

const HOSTILE = `<img src=x onerror="document.title='owned'">\u202e`;
const HOUR_MS = 3_600_000;

/** A record as the API lists it. */
interface Listed {
  readonly createdBy: string;
  readonly [member: string]: unknown;
}

interface Made extends Listed {
  readonly id: string;
  readonly expiresAt: string;
}

interface Name extends Listed {
  readonly host: string;
  readonly port: number;
  readonly state: string;
  readonly lastError?: string | null;
}

function tokenOf(id: string, differences: Partial<Made> = {}): Made {
  const now = Date.now();
  return {
    id,
    sandboxId: "box",
    ports: [3000, 8080],
    methods: null,
    createdAt: new Date(now - HOUR_MS).toISOString(),
    createdBy: "alice",
    lastUsedAt: null,
    expiresAt: new Date(now + HOUR_MS).toISOString(),
    note: null,
    ...differences,
  };
}

/** A name below the gateway's own domain, or a domain that waits for its DNS. */
function nameOf(host: string, port: number): Name {
  const name = { host, sandboxId: "box", port, createdBy: "alice" };
  if (host.endsWith(".preview.example.com")) {
    return { ...name, kind: "alias", state: "active" };
  }
  const verification = {
    txt: { name: `_porthole.${host}`, value: "n0nce".repeat(6) },
    cname: { name: host, target: `0${"a1".repeat(12)}.preview.example.com` },
  };
  return { ...name, kind: "domain", state: "pending", verification };
}

const EMBED = {
  ...tokenOf("embedded"),
  port: 3000,
  ancestors: ["https://product.example", "http://localhost:8080"],
};

/** A share link, of which nobody but who makes it sees the URL. */
function shareOf(id: string, differences: Partial<Made> = {}): Made {
  return tokenOf(id, {
    port: 3000,
    path: "/",
    hasPasscode: false,
    emails: null,
    usesLeft: null,
    ...differences,
  });
}

const SHARE_URL = "https://preview.example.com/s/shared#secret";

/** An API of shares, tokens, names and embeds, and the page. */
class StubApi {
  shares: Made[] = [];
  /** Newest first. */
  tokens: Made[] = [];
  readonly names = new Map<string, Name>();
  embeds: Made[] = [];
  refusal: ErrorCode | undefined;
  /** What is switched off. */
  off: string | undefined;
  readonly bodies: unknown[] = [];

  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/access/box") {
      const html = { "content-type": "text/html; charset=utf-8" };
      const headers = { ...ACCESS_HEADERS, ...html };
      return new Response(accessPageOf("box"), { headers });
    }
    if (this.refusal !== undefined) return problemOf(this.refusal);
    const [, , , kind, id = ""] = pathname.split("/");
    if (kind === this.off) return problemOf("feature_off");
    if (kind === "names") return await this.#answerNames(request, id);
    if (kind === "shares") return await this.#answerShares(request, id);
    if (kind === "embeds") {
      if (request.method !== "DELETE") {
        return Response.json({ items: this.embeds });
      }
      this.embeds = [];
      return new Response(null, { status: 204 });
    }
    if (request.method === "DELETE") {
      const isThere = this.tokens.some((token) => token.id === id);
      this.tokens = this.tokens.filter((token) => token.id !== id);
      return isThere
        ? new Response(null, { status: 204 })
        : problemOf("not_found");
    }
    if (request.method === "POST") return this.#make(await request.json());
    const start = Number(searchParams.get("cursor") ?? 0);
    const items = this.tokens.slice(start, start + 2);
    return Response.json(
      start + 2 < this.tokens.length
        ? { items, next: String(start + 2) }
        : { items },
    );
  }

  async #answerShares(request: Request, id: string): Promise<Response> {
    if (request.method === "GET") return Response.json({ items: this.shares });
    if (request.method === "DELETE") {
      this.shares = this.shares.filter((share) => share.id !== id);
      return new Response(null, { status: 204 });
    }
    const body = await request.json();
    this.bodies.push(body);
    const { passcode, uses: usesLeft = null, ...asked } = body;
    const hasPasscode = passcode !== undefined;
    const made = shareOf("shared", { ...asked, hasPasscode, usesLeft });
    this.shares.unshift(made);
    return Response.json({ ...made, url: SHARE_URL }, { status: 201 });
  }

  async #answerNames(request: Request, host: string): Promise<Response> {
    const known = this.names.get(host);
    if (host === "") return Response.json({ items: [...this.names.values()] });
    if (request.method === "DELETE") {
      this.names.delete(host);
      return new Response(null, { status: 204 });
    }
    if (request.method === "PUT") {
      if (host.startsWith("taken.")) return problemOf("name_taken");
      if (known && request.headers.get("if-none-match") === "*") {
        return problemOf("precondition_failed");
      }
      const { port } = await request.json();
      this.names.set(host, nameOf(host, port));
    } else if (known) {
      // The DNS says so the second time.
      const asked: Name = known.lastError === undefined
        ? { ...known, lastError: `no TXT ${HOSTILE}` }
        : { ...known, state: "active", lastError: null };
      this.names.set(host, asked);
    }
    return Response.json(this.names.get(host));
  }

  #make(body: { ports: number[] } & Record<string, unknown>): Response {
    this.bodies.push(body);
    if (body.ports.includes(2280)) {
      const errors = [{ path: "/ports/0", message: "must be another" }];
      return problemOf("invalid_request", { errors });
    }
    const { ports, methods = null, note } = body;
    const made = tokenOf("made", { ports, methods, note: String(note) });
    this.tokens.unshift(made);
    return Response.json({ ...made, token: "pp_secret" }, { status: 201 });
  }
}

function problemOf(code: ErrorCode, advice: ErrorAdvice = {}): Response {
  return problem({ code, requestId: "5e1c0ffe-12", asPage: false, advice });
}

export const accessPageInWords: Scenario = {
  name:
    "a member sees, makes and revokes share links, tokens, names and embeds, and reads why not in words",
  except: {
    firefox: "the page is judged in Chromium",
    webkit: "the page is judged in Chromium",
  },
  async run(stage) {
    const api = new StubApi();
    await using server = serveOnLoopback((request) => api.answer(request));
    const url = `http://127.0.0.1:${server.port}/access/box`;
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await stage.open({
        ...options,
        expectedErrors: /status of/,
      });
      for (const [code, words] of REFUSALS) {
        api.refusal = code;
        await page.goto(url);
        for (const kind of KINDS) {
          await page.until(`${words}.test(${STATE_OF}("${kind}").textContent)`);
        }
        assert.equal(await isShown(page, "form, table"), false, code);
      }
      await checkAccessibility(page, `access refused (${screen})`);
      api.refusal = undefined;
      api.tokens = [];
      api.shares = [];
      await page.goto(url);
      for (const kind of KINDS) {
        await page.shows(`#${kind} [role=status]`, `There are no ${kind} yet.`);
      }
      await checkAccessibility(page, `no access given (${screen})`);

      api.tokens = [
        tokenOf("first", { note: HOSTILE, methods: ["POST"] }),
        tokenOf("second", {
          expiresAt: new Date(0).toISOString(),
          lastUsedAt: new Date().toISOString(),
        }),
        tokenOf("third"),
      ];
      api.embeds = [EMBED];
      api.shares = [shareOf("given", { note: HOSTILE })];
      await page.goto(url);
      await page.shows("#tokens tbody tr:first-child", "first by alice <img");
      await page.shows("#tokens tbody tr:nth-child(2)", "(over)");
      await page.shows("#tokens tbody tr:nth-child(3)", "third"); // of another page
      await checkShares(page, api);
      await checkMake(page, api);
      await checkNames(page, api);
      await checkAccessibility(page, `the access page (${screen})`);
      await stage.screenshot(page, `access-${screen}`);
      await checkRevoke(page, api);
      await checkEnds(page, api);
      assert.equal(await page.title(), "Access to box");

      api.off = "names";
      await page.goto(url);
      await page.shows("#names [role=status]", "This is switched off.");
      await page.shows("#tokens tbody tr");
      assert.equal(await isShown(page, "#names form, #names table"), false);
      assert.equal(await isShown(page, "#tokens form"), true);
      api.off = undefined;
    }
  },
};

/** The whole way, from the base domain's page to a program's request. */
export const accessPage: Scenario = {
  name:
    "a token that a member makes on the access page opens its port until it is revoked there, and a name leads there until it is removed",
  except: {
    firefox: "the page is judged in Chromium",
    webkit: "the page is judged in Chromium",
  },
  async run(stage) {
    await using started = new AsyncDisposableStack();
    const records = started.use(await recordsFile());
    const gateway = started.use(
      await startLoginGateway({
        MACHINE_TOKENS: "members",
        NAMES: "members",
        ...records.environment,
      }),
    );
    const page = await stage.open();
    await page.goto(gateway.at(""));
    await page.fill('input[name="sandbox"]', "locked");
    await page.click("button", "Access");
    await page.click("button", "alice");
    await page.untilAt(gateway.at("", "/access/locked"));
    await page.shows(STATE, "There are no tokens yet.");
    await page.fill("#tokens [name=ports]", "3000");
    await page.click("form button", "Make a token");
    await page.shows(STATE, "Made.");
    const command = await page.text("#tokens .made pre", "curl");
    const [, token = "", url = ""] =
      /^curl -X GET -H "X-Porthole-Token: (pp_[\w-]+)" (\S+)$/.exec(command) ??
        assert.fail(command);
    assert.equal(url, gateway.at("3000-locked"));
    assert.equal(await page.text("#tokens .made pre"), token);
    const visit = () =>
      gateway.send(new URL(url).host, {
        headers: { "x-porthole-token": token },
      });
    assert.equal((await visit()).status, 200);

    await page.reload();
    await page.shows("#tokens tbody tr", "3000");
    const html = await page.evaluate<string>("document.body.innerHTML");
    assert.ok(!html.includes(token));
    await page.evaluate("globalThis.confirm = () => true");
    await page.click("#tokens tbody button", "Revoke");
    await page.shows(STATE, "Revoked.");
    assert.equal((await visit()).code, "grant_invalid");
    await page.reload();
    await page.shows(STATE, "There are no tokens yet.");

    const name = new URL(gateway.at("shop")).host;
    const codeAtName = async () => (await gateway.send(name)).code;
    assert.equal(await codeAtName(), "bad_host");
    await page.fill("[name=host]", " Shop.proxy.localhost");
    await page.fill("#names [name=port]", "3000");
    await page.click("#names form button");
    await page.shows("#names [role=status]", "Added: it leads here.");
    assert.equal(await codeAtName(), "login_required");
    await page.fill("[name=host]", "admin.proxy.localhost");
    await page.fill("#names [name=port]", "3000");
    await page.click("#names form button");
    await page.shows("#names [role=status]", "/host must not be a reserved");
    await page.reload();
    await page.shows("#names tbody tr", "shop.proxy.localhost by");
    await page.evaluate("globalThis.confirm = () => true");
    await page.click("#names tbody button", "Remove");
    await page.shows("#names [role=status]", "Removed.");
    assert.equal(await codeAtName(), "bad_host");
  },
};

/** True if one of some elements is to be seen. */
function isShown(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(
    `[...document.querySelectorAll(${JSON.stringify(selector)})]
      .some((each) => each.checkVisibility())`,
  );
}

/** A link is shown once, to be copied; then its row says for whom it is, and how often it still opens. */
async function checkShares(page: Page, api: StubApi): Promise<void> {
  const state = "#shares [role=status]";
  const row = "#shares tbody tr:first-child";
  await page.shows(row, "given by alice <img");
  await page.shows(`${row} td:nth-child(3)`, "whoever has the link");
  await page.fill("#shares [name=port]", "5173");
  await page.fill("#shares [name=path]", "/docs?a=1");
  await page.fill("#shares [name=hours]", "2");
  await page.fill("#shares [name=uses]", "3");
  await page.fill("#shares [name=emails]", "ann@example.com, bob@example.com");
  await page.fill("#shares [name=passcode]", "open sesame");
  await page.fill("#shares [name=note]", "for the review");
  await page.click("#shares form button");
  await page.until(`document.activeElement.matches("#shares .made h3")`);
  assert.deepEqual(api.bodies.at(-1), {
    sandbox: "box",
    port: 5173,
    path: "/docs?a=1",
    expiresInSec: 7200,
    passcode: "open sesame",
    emails: ["ann@example.com", "bob@example.com"],
    uses: 3,
    note: "for the review",
  });
  assert.equal(await page.text("#shares .made pre"), SHARE_URL);
  await page.click("#shares .made button", "Copy the link");
  await page.shows(state, "Copied.");
  assert.equal(await page.evaluate("String(getSelection())"), SHARE_URL);
  const cells = `[...document.querySelectorAll("${row} td")]`;
  const texts = `${cells}.slice(0, 4).map(({ textContent }) => textContent)`;
  assert.deepEqual(await page.evaluate(texts), [
    "shared by alice for the review\n/docs?a=1",
    "5173",
    "ann@example.com\nbob@example.com\nwith a passcode",
    "3",
  ]);

  await page.fill("#shares [name=port]", "3000");
  await page.click("#shares form button");
  await page.shows(`${row} td:nth-child(4)`, "any number");
  assert.deepEqual(api.bodies.at(-1), { sandbox: "box", port: 3000 });
  await page.evaluate("globalThis.confirm = () => true");
  await page.click(`${row} button`, "Revoke");
  await page.shows(state, "Revoked.");
  assert.deepEqual(api.shares.map(({ id }) => id), ["given"]);
}

/** What is wrong is said; the secret is shown once, to be copied, with a command that uses it. */
async function checkMake(page: Page, api: StubApi): Promise<void> {
  await page.fill("#tokens [name=ports]", "2280");
  await page.click("form button", "Make a token");
  await page.shows(STATE, "/ports/0 must be another");
  await page.fill("#tokens [name=ports]", "3000, 8080");
  await page.fill("#tokens [name=methods]", "post, put");
  await page.fill("#tokens [name=hours]", "168");
  await page.fill("#tokens [name=note]", "for CI");
  await page.click("form button", "Make a token");
  await page.until(`document.activeElement.matches("#tokens .made h3")`);
  assert.deepEqual(api.bodies.at(-1), {
    sandbox: "box",
    ports: [3000, 8080],
    methods: ["POST", "PUT"],
    expiresInSec: 604_800,
    note: "for CI",
  });
  assert.equal(await page.text("#tokens .made pre"), "pp_secret");
  const { host } = new URL(await page.url());
  assert.equal(
    await page.text("#tokens .made pre", "curl"),
    `curl -X POST -H "X-Porthole-Token: pp_secret" http://3000-box.${host}/`,
  );
  await page.shows("#tokens tbody tr:first-child", "made by alice for CI");
  await page.click("#tokens .made button", "Copy the command");
  await page.shows(STATE, "Copied.");
  assert.match(await page.evaluate<string>("String(getSelection())"), /^curl/);
}

/** Whoever does not mean it keeps a token; one that is revoked disappears, and one that was over says so. */
async function checkRevoke(page: Page, api: StubApi): Promise<void> {
  await page.evaluate("globalThis.confirm = () => false");
  const button = "#tokens tbody tr:first-child button";
  await page.click(button, "Revoke");
  await page.evaluate(
    "globalThis.confirm = (text) => (globalThis.asked = text, true)",
  );
  await page.click(button, "Revoke");
  await page.shows(STATE, "Revoked.");
  assert.equal(await page.evaluate("asked"), "Revoke the token made?");
  assert.deepEqual(idsOf(api), ["first", "second", "third"]);
  const count = `document.querySelectorAll("#tokens tbody tr").length`;
  assert.equal(await page.evaluate(count), 3);
  api.tokens.shift();
  await page.click(button, "Revoke");
  await page.shows(STATE, "There is no such thing.");
  assert.deepEqual(idsOf(api), ["second", "third"]);
}

/** An alias leads here at once, a domain once its DNS says so; whoever does not mean it moves none. */
async function checkNames(page: Page, api: StubApi): Promise<void> {
  const state = "#names [role=status]";
  async function add(host: string, port: string) {
    await page.fill("[name=host]", host);
    await page.fill("#names [name=port]", port);
    await page.click("#names form button");
  }
  await add("shop.preview.example.com", "3000");
  await page.shows(state, "Added: it leads here.");
  await page.shows("#names tbody tr", "shop.preview.example.com by alice");
  await add("taken.example.com", "3000");
  await page.shows(state, "The name is taken.");

  await add("www.shop.example", "8080");
  await page.shows(state, "Added. Once its DNS says what stands beside it");
  const row = "#names tbody tr:first-child";
  const [txt, cname] = (await page.text(`${row} td:nth-child(4)`)).split("\n");
  assert.match(txt ?? "", /^_porthole\.www\.shop\.example TXT (n0nce){6}$/);
  assert.match(cname ?? "", /^www\.shop\.example CNAME 0(a1)+\.preview\./);
  await page.click(`${row} button`, "Verify");
  await page.shows(state, "Not verified yet. no TXT <img");
  await page.shows(`${row} td:nth-child(3)`, "pending: no TXT <img");
  await page.until(`document.activeElement.textContent === "Verify"`);

  await page.evaluate("globalThis.confirm = () => false");
  await add("shop.preview.example.com", "5173");
  await page.shows(state, "Nothing was changed.");
  await page.evaluate(
    "globalThis.confirm = (text) => (globalThis.asked = text, true)",
  );
  await add("shop.preview.example.com", "5173");
  await page.shows(state, "Added: it leads here.");
  assert.equal(
    await page.evaluate("asked"),
    "shop.preview.example.com is there already. Change where it leads?",
  );
  assert.equal(api.names.get("shop.preview.example.com")?.port, 5173);
  await page.shows("#names tbody tr:nth-child(2)", "5173");
}

/** What is verified has nothing more to say of its DNS; what was removed or revoked disappears. */
async function checkEnds(page: Page, api: StubApi): Promise<void> {
  const state = "#names [role=status]";
  const row = "#names tbody tr:first-child";
  await page.click(`${row} button`, "Verify");
  await page.shows(state, "Verified: it leads here.");
  await page.until(`document.activeElement.matches("#names h2")`);
  assert.equal(await page.text(`${row} td:nth-child(4)`), "");
  await page.click(`${row} button`, "Remove");
  await page.shows(state, "Removed. For 30 days, nobody else can have it.");
  assert.equal(
    await page.evaluate("asked"),
    "Remove the name www.shop.example?",
  );
  assert.deepEqual([...api.names.keys()], ["shop.preview.example.com"]);
  api.names.clear();

  await page.shows("#embeds tbody tr", "https://product.example");
  await page.click("#embeds tbody button", "Revoke");
  await page.shows("#embeds [role=status]", "Revoked.");
  assert.deepEqual(api.embeds, []);
}

function idsOf({ tokens }: StubApi): string[] {
  return tokens.map(({ id }) => id);
}
