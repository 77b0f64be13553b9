import assert from "node:assert/strict";
import {
  EMBED_HEADERS,
  EMBED_PAGE,
} from "../../../../src/features/embeds/embed_page.ts";
import script from "../../../../src/features/embeds/embed_page.js" with {
  type: "text",
};
import { pageScript } from "../../../../src/pages/script.ts";

const ORIGIN = "https://3000-box.preview.test";
const AROUND = "https://builder.example";
const STATE = { state: "ready", code: null, port: 3000, ready: true };

/** What a gateway answers, by method and path. */
type Answers = Readonly<
  Record<string, readonly [status: number, body: object]>
>;

const GOOD: Answers = {
  "POST /.porthole/embed": [200, { ancestors: [AROUND], port: 3000 }],
  "GET /.porthole/state": [200, STATE],
};

/** Runs the page's script with that fragment, and returns what it has done. */
async function run(
  fragment: string,
  { answers = GOOD, isFramed = true, ancestorOrigins, referrer = "" }: {
    readonly answers?: Answers;
    readonly isFramed?: boolean;
    readonly ancestorOrigins?: readonly string[];
    readonly referrer?: string;
  } = {},
) {
  const asked: [
    request: string,
    headers: Record<string, string> | undefined,
  ][] = [];
  const messages: [message: Record<string, unknown>, target: string][] = [];
  const led: string[] = [];
  const rewritten: string[] = [];
  const elements = Array.from({ length: 4 }, () => ({
    textContent: "",
    href: "",
    parentElement: { hidden: true },
  }));
  const self = {};
  const parent = {
    postMessage: (message: Record<string, unknown>, target: string) =>
      void messages.push([message, target]),
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  const globals = {
    location: {
      hash: fragment,
      pathname: "/.porthole/embed",
      origin: ORIGIN,
      ancestorOrigins,
      replace(path: string) {
        led.push(path);
      },
    },
    history: {
      replaceState: (...[, , url]: string[]) => void rewritten.push(url ?? ""),
    },
    document: { referrer, querySelectorAll: () => elements },
    self,
    parent: isFramed ? parent : self,
    fetch(
      path: string,
      { method, headers }: {
        readonly method: string;
        readonly headers?: Record<string, string>;
      },
    ) {
      asked.push([`${method} ${path}`, headers]);
      const [status, body] = answers[`${method} ${path}`] ?? [500, {}];
      return Promise.resolve(Response.json(body, { status }));
    },
    done: resolve,
  };
  const code = script.trimEnd().replace(/\}\)\(\);$/, "})().finally(done);");
  new Function(...Object.keys(globals), code)(...Object.values(globals));
  await promise;
  const [title, detail, hint, link] = elements;
  return { asked, messages, led, rewritten, title, detail, hint, link };
}

const FROM_BUILDER = { ancestorOrigins: [AROUND, "https://top.example"] };

Deno.test("the page runs its own script and style and no other, asks its own host only, and any page may frame it, isolated or not", () => {
  const policy = EMBED_HEADERS["content-security-policy"];
  const directives = policy.split("; ");
  for (
    const [name, directive] of [["script", "script-src"], [
      "style",
      "style-src",
    ]] as const
  ) {
    const [, text = ""] =
      new RegExp(`<${name}>([^]*?)</${name}>`).exec(EMBED_PAGE) ?? [];
    const { source } = pageScript(text);
    assert(directives.includes(`${directive} ${source}`), policy);
  }
  assert(directives.includes("default-src 'none'"));
  assert(directives.includes("connect-src 'self'"));
  assert.doesNotMatch(policy, /frame-ancestors/);
  assert.doesNotMatch(EMBED_PAGE, / (?:style|on\w+)=/);
  assert.equal(EMBED_HEADERS["cross-origin-embedder-policy"], "require-corp");
  assert.equal(EMBED_HEADERS["cross-origin-resource-policy"], "cross-origin");
  assert.equal(new Headers(EMBED_HEADERS).get("cache-control"), "no-store");
});

Deno.test("the script takes the code out of the address, exchanges it, tells the page around it the state and gives way to the app", async () => {
  const done = await run("#pe_code", FROM_BUILDER);
  assert.deepEqual(done.rewritten, ["/.porthole/embed"]);
  assert.deepEqual(done.asked, [
    ["POST /.porthole/embed", {
      "x-porthole-embed": "pe_code",
      "x-porthole-ancestor": AROUND,
    }],
    ["GET /.porthole/state", undefined],
  ]);
  assert.deepEqual(done.messages, [
    [{ source: "porthole", v: 1, type: "state", ...STATE }, AROUND],
  ]);
  assert.deepEqual(done.led, ["/"]);
});

Deno.test("where browsers list no ancestors, the referrer tells the page around the frame", async () => {
  const { asked } = await run("#pe_code", { referrer: `${AROUND}/a?b` });
  assert.equal(asked[0]?.[1]?.["x-porthole-ancestor"], AROUND);
  const hidden = await run("#pe_code");
  assert.equal(hidden.asked[0]?.[1]?.["x-porthole-ancestor"], "");
});

Deno.test("an embed's own path counts before that of the address, and no path leads to another host", async () => {
  const answers: Answers = {
    ...GOOD,
    "POST /.porthole/embed": [200, { path: "/own?a#b", port: 3000 }],
  };
  const own = await run("#pe_code&path=%2Fother", { ...FROM_BUILDER, answers });
  assert.deepEqual(own.led, ["/own?a#b"]);
  for (
    const [path, led] of [
      ["/docs?a=1#b", "/docs?a=1#b"],
      ["//evil.example/", "/"],
      ["/\\evil.example/", "/"],
      ["/\t/evil.example/", "/"],
      ["https://evil.example/", "/"],
      ["javascript:alert(1)", "/"],
      ["", "/"],
    ] as const
  ) {
    const fragment = `#jwt&path=${encodeURIComponent(path)}`;
    const done = await run(fragment, FROM_BUILDER);
    assert.deepEqual(done.led, [led], path);
  }
});

Deno.test("a renewal tells that it has come about, and stays", async () => {
  const { messages, led } = await run("#pe_code&stay", FROM_BUILDER);
  const told = { source: "porthole", v: 1, type: "renewed", port: 3000 };
  assert.deepEqual(messages, [[told, AROUND]]);
  assert.deepEqual(led, []);
});

Deno.test("outside of a frame, no code is used up", async () => {
  const { asked, title, link } = await run("#pe_code", { isFramed: false });
  assert.deepEqual(asked, []);
  assert.notEqual(title?.textContent, "");
  assert.equal(link?.parentElement.hidden, false);
});

Deno.test("a refusal is shown, and whoever frames the page is told its code and nothing else", async () => {
  const problem = {
    title: "No",
    detail: "Because",
    hint: "Try",
    portholeCode: "grant_invalid",
  };
  const answers: Answers = { "POST /.porthole/embed": [401, problem] };
  for (const fragment of ["#pe_code", "#pe_code&stay"]) {
    const done = await run(fragment, { ...FROM_BUILDER, answers });
    const { title, detail, hint } = done;
    const shown = [title, detail, hint].map((each) => each?.textContent);
    assert.deepEqual(shown, ["No", "Because", "Try"]);
    assert.deepEqual(JSON.parse(JSON.stringify(done.messages)), [[{
      source: "porthole",
      v: 1,
      type: "state",
      state: "refused",
      code: "grant_invalid",
    }, AROUND]]);
    assert.deepEqual(done.led, []);
  }
  const around: Parameters<typeof run>[1][] = [
    { isFramed: false, referrer: `${AROUND}/` },
    {},
    { ancestorOrigins: ["null"] },
    { ancestorOrigins: [""] },
  ];
  for (const each of around) {
    const { messages } = await run("#pe_code", { ...each, answers });
    assert.deepEqual(messages, [], "nobody has an origin");
  }
});

Deno.test("a cookie that the browser has not kept is told of as a refusal, with a link to a tab", async () => {
  const problem = { title: "No cookie", portholeCode: "frame_refused" };
  const done = await run("#pe_code&path=%2Fdocs", {
    ...FROM_BUILDER,
    answers: { ...GOOD, "GET /.porthole/state": [401, problem] },
  });
  assert.deepEqual(done.messages, [[{
    source: "porthole",
    v: 1,
    type: "state",
    state: "refused",
    code: "frame_refused",
    port: 3000,
  }, AROUND]]);
  assert.deepEqual(done.led, []);
  assert.equal(done.link?.href, "/docs");
  assert.equal(done.title?.textContent, "No cookie");
});

Deno.test("the page names no page around it that hides", async () => {
  for (const options of [{ ancestorOrigins: ["null", AROUND] }, {}]) {
    const { asked } = await run("#pe_code", options);
    const [[, headers] = assert.fail()] = asked;
    assert.equal(headers?.["x-porthole-ancestor"], "");
  }
});
