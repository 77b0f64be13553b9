import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { type TestFrame, TestPage } from "../../../../support/test_page.ts";

/** What `mount()` returns, in a page made by hand. */
interface Embedded {
  readonly iframe: TestFrame;
  renew(url: string, stateToken?: string): Promise<void>;
  navigate(path: string): void;
  reload(): void;
  unmount(): void;
}

// Named by a variable, since its types are those of browsers.
const SOURCE = new URL(
  "../../../../../src/features/embeds/client/embed.js",
  import.meta.url,
);
const { mount }: {
  mount(element: object, options: Readonly<Record<string, unknown>>): Embedded;
} = await import(SOURCE.href);

const ORIGIN = "https://3000-box.p.test";
const URL_ONE = `${ORIGIN}/.porthole/embed#one`;
const STATES = {
  stateUrl: `${ORIGIN}/.porthole/state`,
  stateToken: "first",
};

/** A page with a preview, and what was told of it. */
function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const page = new TestPage();
  const told: string[] = [];
  const preview = mount(page.element, {
    url: URL_ONE,
    onState: ({ state, code }: Record<string, unknown>) =>
      told.push(`${state} ${code}`),
    onNavigate: ({ path }: Record<string, unknown>) => told.push(`at ${path}`),
    onError: ({ message }: Record<string, unknown>) =>
      told.push(`failed ${message}`),
    onConsole: ({ text }: Record<string, unknown>) => told.push(`said ${text}`),
    ...options,
  });
  /** Has the frame say something; resolves once that was told. */
  async function say(
    message: Readonly<Record<string, unknown>>,
    frame = preview.iframe,
  ): Promise<void> {
    const data = { source: "porthole", v: 1, ...message };
    page.receive({ source: frame.contentWindow, origin: ORIGIN, data });
    await turn();
  }
  return { page, told, preview, say };
}

/** A page whose frame has told its first state, and which asks for later ones. */
async function setUpOpen() {
  const all = setUp(STATES);
  await all.say(state("waiting", "first"));
  all.told.length = 0;
  return all;
}

function state(state: string, code: string | null = null) {
  return { type: "state", state, code };
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The frame in which a renewal is under way. */
function secondFrame({ frames }: TestPage): TestFrame {
  return [...frames][1] ?? assert.fail("There is one frame");
}

Deno.test("the module has at most 6 KiB, and imports nothing", async () => {
  const text = await Deno.readTextFile(SOURCE);
  assert(new TextEncoder().encode(text).length <= 6 * 1024);
  assert.doesNotMatch(text.replaceAll(/\/\*.*?\*\//gs, ""), /\bimport\b/);
});

Deno.test("mount() makes a frame that tells whose page is around it, and cannot lead that elsewhere", () => {
  const { page, preview: { iframe } } = setUp({ title: "The shop" });
  assert.deepEqual([...page.frames], [iframe]);
  assert.deepEqual(iframe.visited, [URL_ONE]);
  assert.equal(iframe.referrerPolicy, "strict-origin");
  assert.equal(iframe.title, "The shop");
  assert.match(iframe.allow, /fullscreen/);
  const { sandbox = "" } = iframe.attributes;
  assert.match(sandbox, /allow-same-origin allow-scripts/);
  assert.doesNotMatch(sandbox, /top-navigation/);
  assert.equal(page.requests.length, 0);
});

Deno.test("a page can have its own permissions and restrictions, or none", () => {
  const own = setUp({ allow: "camera", sandbox: "allow-scripts" });
  assert.equal(own.preview.iframe.allow, "camera");
  assert.equal(own.preview.iframe.attributes.sandbox, "allow-scripts");
  const none = setUp({ sandbox: null });
  assert.equal("sandbox" in none.preview.iframe.attributes, false);
});

Deno.test("what the gateway and its bridge say in the frame is told, and a state once", async () => {
  const { told, say } = setUp();
  await say(state("waiting", "port_closed"));
  await say(state("waiting", "port_closed"));
  await say(state("ready"));
  await say({ type: "navigation", path: "/one?a#b" });
  await say({ type: "error", kind: "error", message: "oh" });
  await say({ type: "console", level: "log", text: "hello" });
  await say({ type: "something later" });
  assert.deepEqual(told, [
    "waiting port_closed",
    "ready null",
    "at /one?a#b",
    "failed oh",
    "said hello",
  ]);
});

Deno.test("messages of another window, origin or shape are not told", async () => {
  const { page, told, preview: { iframe } } = setUp();
  const good = {
    source: iframe.contentWindow,
    origin: ORIGIN,
    data: { source: "porthole", v: 1, ...state("ready") },
  };
  const { data } = good;
  for (
    const difference of [
      { source: {} },
      { source: null },
      { origin: "https://3000-other.p.test" },
      { origin: `${ORIGIN}:8443` },
      { origin: "null" },
      { data: { ...data, source: "somebody" } },
      { data: { ...data, v: 2 } },
      { data: { ...data, v: "1" } },
      { data: "porthole" },
      { data: null },
      { data: undefined },
    ]
  ) {
    page.receive({ ...good, ...difference });
    await turn();
    assert.deepEqual(told, [], JSON.stringify(difference));
  }
  page.receive(good);
  await turn();
  assert.deepEqual(told, ["ready null"]);
});

Deno.test("a callback may be left out", async () => {
  const { say, told } = setUp({
    onState: undefined,
    onNavigate: undefined,
    onError: undefined,
    onConsole: undefined,
  });
  for (const type of ["state", "navigation", "error", "console"]) {
    await say({ type, state: "ready", code: null, path: "/" });
  }
  assert.deepEqual(told, []);
});

Deno.test("navigate() opens a path of the preview, and nothing else", () => {
  const { preview } = setUp();
  for (const path of ["/", "/one?a#b", "//evil.test/", "/@evil.test/"]) {
    preview.navigate(path);
    assert.equal(preview.iframe.visited.at(-1), ORIGIN + path);
  }
  for (
    const path of [
      "https://evil.test/",
      "javascript:0",
      ".evil.test/",
      "@evil.test/",
      ":8443/",
    ]
  ) {
    assert.throws(() => preview.navigate(path), TypeError, path);
  }
  assert.equal(preview.iframe.visited.length, 5);
});

Deno.test("reload() opens the path that the app was last seen at, or that of the options", async () => {
  const { page, preview, say } = setUp({ path: "/start" });
  preview.reload();
  await say({ type: "navigation", path: "/later" });
  preview.reload();
  await say({ type: "navigation", path: ".evil.test/" });
  assert.throws(() => preview.reload(), TypeError);
  const [, ...visited] = preview.iframe.visited;
  assert.deepEqual(visited, [`${ORIGIN}/start`, `${ORIGIN}/later`]);
  assert.deepEqual([...page.frames], [preview.iframe]);
});

Deno.test("states are asked for where there is a token, and told as they come", async () => {
  const { page, told } = await setUpOpen();
  const [request] = page.requests;
  assert.equal(request?.url, STATES.stateUrl);
  assert.deepEqual(request?.headers, {
    accept: "text/event-stream",
    authorization: "Bearer first",
  });
  const events = await page.answer();
  await events.write(": still here\n\n" + event(state("starting", "a")));
  await events.write(event(state("ready")));
  assert.deepEqual(told, ["starting a", "ready null"]);
});

const SEVERAL = new TextEncoder().encode(
  `: comment\n\nretry: 5\n\nid: 1\nevent: state\n${
    event(state("waiting", "käse🧀"))
  }: comment\r\n\r\ndata: {"state": "ready",\r\ndata: "code": null}\r\n\r\n`,
);

Deno.test("events are read however their bytes are cut", async () => {
  const expected = ["waiting käse🧀", "ready null"];
  for (let cut = 0; cut <= SEVERAL.length; cut++) {
    const { page, told } = await setUpOpen();
    const events = await page.answer();
    await events.write(SEVERAL.slice(0, cut));
    await events.write(SEVERAL.slice(cut));
    assert.deepEqual(told, expected, `cut at ${cut}`);
  }
  const { page, told } = await setUpOpen();
  const events = await page.answer();
  for (const byte of SEVERAL) await events.write(Uint8Array.of(byte));
  assert.deepEqual(told, expected);
});

Deno.test("states are asked for again when the connection is gone, ever more rarely until one comes", async () => {
  const { page } = setUp(STATES);
  const pauses: number[] = [];
  async function lose(): Promise<void> {
    page.requests.at(-1)?.answer.reject(new TypeError("gone"));
    await turn();
    pauses.push(page.timer.ms);
    page.timer.run();
    await turn();
  }
  for (let nth = 0; nth < 8; nth++) await lose();
  for (const [nth, ms] of pauses.entries()) {
    const least = Math.min(1000 * 2 ** nth, 30_000);
    assert(ms >= least && ms <= 2 * least, `${nth}: ${ms}`);
  }
  assert.equal(page.requests.length, 9);

  const events = await page.answer();
  await events.write(event(state("ready")));
  await events.end();
  assert(page.timer.ms <= 2000);
});

Deno.test("an answer that is no 200 is asked for again", async () => {
  for (const status of [404, 429, 503]) {
    const { page, told } = setUp(STATES);
    await page.answer(status);
    page.timer.run();
    await turn();
    assert.equal(page.requests.length, 2);
    assert.deepEqual(told, []);
  }
});

Deno.test("a gateway that says nothing for 40 s is asked anew", async () => {
  const { page } = setUp(STATES);
  const events = await page.answer();
  await events.write(event(state("ready")));
  const silence = page.timer;
  assert.equal(silence.ms, 40_000);
  await events.write(": still here\n\n");
  assert.notEqual(page.timer, silence);
  page.timer.run();
  await turn();
  assert(events.isCancelled);
  page.timer.run();
  await turn();
  assert.equal(page.requests.length, 2);
});

Deno.test("nothing is asked after the end, which a token that is over means as well", async () => {
  const ended = setUp(STATES);
  await (await ended.page.answer()).write(
    event(state("ended", "grant_invalid")),
  );
  const over = setUp(STATES);
  await over.page.answer(401);
  for (const { page, told } of [ended, over]) {
    assert.deepEqual(told, ["ended grant_invalid"]);
    assert.deepEqual([page.requests.length, page.timers.size], [1, 0]);
  }
});

Deno.test("a frame that is refused, or says nothing, is not called ready because the sandbox is", async () => {
  const { page, told, preview, say } = setUp(STATES);
  const events = await page.answer();
  await events.write(event(state("ready")));
  assert.deepEqual(told, []);
  await say(state("refused", "frame_refused"));
  await events.write(event(state("ready")));
  assert.deepEqual(told, ["refused frame_refused"]);
  preview.reload();
  await events.write(event(state("ready")));
  assert.deepEqual(told, ["refused frame_refused", "ready null"]);
});

Deno.test("renew() resolves when a hidden second frame says so, and the new token counts from then on", async () => {
  const { page, told, preview, say } = setUp(STATES);
  const renewal = preview.renew(`${ORIGIN}/.porthole/embed#two`, "second");
  const frame = secondFrame(page);
  assert.deepEqual(frame.visited, [`${ORIGIN}/.porthole/embed#two&stay`]);
  assert.equal(frame.style.display, "none");
  assert.equal(frame.referrerPolicy, "strict-origin");
  await say({ type: "renewed" }); // the app's own word
  assert.equal(page.frames.size, 2);
  await say({ type: "renewed" }, frame);
  await renewal;
  assert.deepEqual([...page.frames], [preview.iframe]);
  assert.deepEqual([told, page.timers.size], [[], 0]);

  page.requests[0]?.answer.reject(new TypeError("gone"));
  await turn();
  page.timer.run();
  await turn();
  assert.equal(page.requests[1]?.headers.authorization, "Bearer second");
});

Deno.test("renew() rejects if it is refused, and if there is no answer within 10 s", async () => {
  const { page, told, preview, say } = setUp();
  const refused = assert.rejects(preview.renew(URL_ONE), /frame_refused/);
  await say(state("refused", "frame_refused"), secondFrame(page));
  await refused;
  const ended = assert.rejects(preview.renew(URL_ONE), /grant_invalid/);
  await say(state("ended", "grant_invalid"), secondFrame(page));
  await ended;
  const unanswered = assert.rejects(preview.renew(URL_ONE), /no answer/);
  assert.equal(page.timer.ms, 10_000);
  page.timer.run();
  await unanswered;
  assert.deepEqual([...page.frames], [preview.iframe]);
  assert.deepEqual([told, page.timers.size], [[], 0]);
});

Deno.test("unmount() removes all frames, and nothing is heard, asked or under way after it", async () => {
  const { page, told, preview, say } = setUp(STATES);
  await page.answer();
  const renewal = preview.renew(URL_ONE);
  const frame = secondFrame(page);
  preview.unmount();
  preview.unmount();
  await assert.rejects(renewal, /unmounted/);
  await turn();
  await say(state("ready"));
  await say({ type: "renewed" }, frame);
  assert.deepEqual([page.frames.size, page.timers.size], [0, 0]);
  assert.deepEqual([told, page.requests.length], [[], 1]);
  assert(page.requests[0]?.signal.aborted);
  await assert.rejects(preview.renew(URL_ONE));
  assert.equal(page.frames.size, 0);
});

Deno.test("unmount() between two attempts ends them", async () => {
  const { page, preview } = setUp(STATES);
  await page.answer(503);
  assert.equal(page.timers.size, 1);
  preview.unmount();
  await turn();
  assert.deepEqual([page.timers.size, page.requests.length], [0, 1]);
});
