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

const HOSTILE = `<img src=x onerror="document.title='owned'">\u202e`;
const HOUR_MS = 3_600_000;

/** A token as the API lists it. */
interface Token {
  readonly id: string;
  readonly note?: string | null;
  readonly expiresAt: string;
  readonly [member: string]: unknown;
}

function tokenOf(id: string, differences: Partial<Token> = {}): Token {
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

/** An API of tokens, and the page. */
class StubApi {
  /** Newest first. */
  tokens: Token[] = [];
  refusal: ErrorCode | undefined;
  readonly bodies: unknown[] = [];

  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/access/box") {
      const html = { "content-type": "text/html; charset=utf-8" };
      const headers = { ...ACCESS_HEADERS, ...html };
      return new Response(accessPageOf("box"), { headers });
    }
    if (this.refusal !== undefined) return problemOf(this.refusal);
    const id = pathname.split("/")[4];
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
  name: "a member sees, makes and revokes tokens, and reads why not in words",
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
        await page.until(`${words}.test(state.textContent)`);
        assert.equal(await isShown(page, "form, table"), false, code);
      }
      await checkAccessibility(page, `access refused (${screen})`);
      api.refusal = undefined;
      api.tokens = [];
      await page.goto(url);
      await page.shows("#state", "There are no tokens yet.");
      await checkAccessibility(page, `no access given (${screen})`);

      api.tokens = [
        tokenOf("first", { note: HOSTILE, methods: ["POST"] }),
        tokenOf("second", {
          expiresAt: new Date(0).toISOString(),
          lastUsedAt: new Date().toISOString(),
        }),
        tokenOf("third"),
      ];
      await page.goto(url);
      await page.shows("#rows tr:first-child", "first by alice <img");
      await page.shows("#rows tr:nth-child(2)", "(over)");
      await page.shows("#rows tr:nth-child(3)", "third"); // of another page
      await checkMake(page, api);
      await checkAccessibility(page, `the access page (${screen})`);
      await stage.screenshot(page, `access-${screen}`);
      await checkRevoke(page, api);
      assert.equal(await page.title(), "Access to box");
    }
  },
};

/** The whole way, from the base domain's page to a program's request. */
export const accessPage: Scenario = {
  name:
    "a token that a member makes on the access page opens its port until it is revoked there",
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
        ...records.environment,
      }),
    );
    const page = await stage.open();
    await page.goto(gateway.at(""));
    await page.fill('input[name="sandbox"]', "locked");
    await page.click("button", "Access");
    await page.click("button", "alice");
    await page.untilAt(gateway.at("", "/access/locked"));
    await page.shows("#state", "There are no tokens yet.");
    await page.fill("[name=ports]", "3000");
    await page.click("form button", "Make a token");
    await page.shows("#state", "Made.");
    const command = await page.text("#made pre", "curl");
    const [, token = "", url = ""] =
      /^curl -X GET -H "X-Porthole-Token: (pp_[\w-]+)" (\S+)$/.exec(command) ??
        assert.fail(command);
    assert.equal(url, gateway.at("3000-locked"));
    assert.equal(await page.text("#made pre"), token);
    const visit = () =>
      gateway.send(new URL(url).host, {
        headers: { "x-porthole-token": token },
      });
    assert.equal((await visit()).status, 200);

    await page.reload();
    await page.shows("#rows tr", "3000");
    const html = await page.evaluate<string>("document.body.innerHTML");
    assert.ok(!html.includes(token));
    await page.evaluate("globalThis.confirm = () => true");
    await page.click("#rows button", "Revoke");
    await page.shows("#state", "Revoked.");
    assert.equal((await visit()).code, "grant_invalid");
    await page.reload();
    await page.shows("#state", "There are no tokens yet.");
  },
};

/** True if one of some elements is to be seen. */
function isShown(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(
    `[...document.querySelectorAll(${JSON.stringify(selector)})]
      .some((each) => each.checkVisibility())`,
  );
}

/** What is wrong is said; the secret is shown once, to be copied, with a command that uses it. */
async function checkMake(page: Page, api: StubApi): Promise<void> {
  await page.fill("[name=ports]", "2280");
  await page.click("form button", "Make a token");
  await page.shows("#state", "/ports/0 must be another");
  await page.fill("[name=ports]", "3000, 8080");
  await page.fill("[name=methods]", "post, put");
  await page.fill("[name=hours]", "168");
  await page.fill("[name=note]", "for CI");
  await page.click("form button", "Make a token");
  await page.until(`document.activeElement.matches("#made h3")`);
  assert.deepEqual(api.bodies.at(-1), {
    sandbox: "box",
    ports: [3000, 8080],
    methods: ["POST", "PUT"],
    expiresInSec: 604_800,
    note: "for CI",
  });
  assert.equal(await page.text("#made pre"), "pp_secret");
  const { host } = new URL(await page.url());
  assert.equal(
    await page.text("#made pre", "curl"),
    `curl -X POST -H "X-Porthole-Token: pp_secret" http://3000-box.${host}/`,
  );
  await page.shows("#rows tr:first-child", "made by alice for CI");
  await page.click("#made button", "Copy the command");
  await page.shows("#state", "Copied.");
  assert.match(await page.evaluate<string>("String(getSelection())"), /^curl/);
}

/** Whoever does not mean it keeps a token; one that is revoked disappears, and one that was over says so. */
async function checkRevoke(page: Page, api: StubApi): Promise<void> {
  await page.evaluate("globalThis.confirm = () => false");
  await page.click("#rows tr:first-child button", "Revoke");
  await page.evaluate(
    "globalThis.confirm = (text) => (globalThis.asked = text, true)",
  );
  await page.click("#rows tr:first-child button", "Revoke");
  await page.shows("#state", "Revoked.");
  assert.equal(await page.evaluate("asked"), "Revoke the token made?");
  assert.deepEqual(idsOf(api), ["first", "second", "third"]);
  assert.equal(await page.evaluate("rows.rows.length"), 3);
  api.tokens.shift();
  await page.click("#rows tr:first-child button", "Revoke");
  await page.shows("#state", "There is no such thing.");
  assert.deepEqual(idsOf(api), ["second", "third"]);
}

function idsOf({ tokens }: StubApi): string[] {
  return tokens.map(({ id }) => id);
}
