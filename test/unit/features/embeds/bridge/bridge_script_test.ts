import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import {
  BRIDGE,
  bridgeElement,
} from "../../../../../src/features/embeds/bridge/bridge_shape.ts";

const ANCESTOR = "https://a.example";
const OTHER = "https://b.example";

type Kind = "errors" | "console" | "navigation";
type Listener = (event: unknown) => void;

interface PageOptions {
  readonly kinds?: readonly Kind[];
  readonly ancestors?: readonly string[];
  /** The origins around the page; null where the browser does not tell. */
  readonly ancestorOrigins?: readonly string[] | null;
  readonly isFramed?: boolean;
  /** What the page's own fetch does. */
  readonly fetch?: (...args: unknown[]) => Promise<unknown>;
}

/** A window as far as the script uses it, in which it has run. */
class Page {
  /** What was sent to the page around, to which origin. */
  readonly sent: { readonly message: unknown; readonly origin: string }[] = [];
  /** What the page's own console got. */
  readonly logged: unknown[][] = [];
  readonly console: Record<string, (...args: unknown[]) => unknown> = {};
  /** The console as it was before the script. */
  readonly ownConsole: Readonly<Page["console"]>;
  readonly location = {
    ancestorOrigins: undefined as readonly string[] | undefined,
    pathname: "/a",
    search: "?b",
    hash: "#c",
  };
  readonly window: {
    fetch: (...args: unknown[]) => Promise<unknown>;
    parent?: unknown;
  };
  readonly history: { pushState: Move; replaceState: Move };
  now = 5;
  isRemoved = false;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #microtasks: (() => void)[] = [];
  readonly #timers: (() => void)[] = [];

  constructor(options: PageOptions = {}) {
    const {
      kinds = ["errors", "console", "navigation"],
      ancestors = [ANCESTOR],
      ancestorOrigins = [ANCESTOR],
      isFramed = true,
      fetch = () => Promise.resolve({ status: 200, url: "" }),
    } = options;
    this.location.ancestorOrigins = ancestorOrigins ?? undefined;
    for (const level of ["log", "info", "warn", "error", "debug", "table"]) {
      this.console[level] = (...args) => {
        this.logged.push([level, ...args]);
        return `${level}ged`;
      };
    }
    this.ownConsole = { ...this.console };
    const move = (self: unknown, args: unknown[]) => this.#move(self, args);
    class History {
      pushState(this: unknown, ...args: unknown[]) {
        return move(this, args);
      }
      replaceState(this: unknown, ...args: unknown[]) {
        return move(this, args);
      }
    }
    this.history = new History();
    this.window = { fetch };
    const outer = {
      postMessage: (message: unknown, origin: string) => {
        this.sent.push({ message: structuredClone(message), origin });
      },
    };
    const terms = { ancestors, bridge: kinds };
    const [, data] = /data-porthole="([^"]*)"/.exec(bridgeElement(terms)) ?? [];
    const currentScript = {
      dataset: { porthole: data?.replaceAll("&quot;", '"') },
      remove: () => void (this.isRemoved = true),
    };
    const globals = {
      document: { currentScript },
      self: this.window,
      parent: isFramed ? outer : this.window,
      location: this.location,
      console: this.console,
      History,
      performance: { now: () => this.now },
      queueMicrotask: (job: () => void) => void this.#microtasks.push(job),
      setTimeout: (job: () => void) => void this.#timers.push(job),
      addEventListener: (type: string, listener: Listener) => {
        const others = this.#listeners.get(type) ?? [];
        this.#listeners.set(type, [...others, listener]);
      },
    };
    new Function(...Object.keys(globals), BRIDGE.text)(
      ...Object.values(globals),
    );
  }

  #move(self: unknown, args: unknown[]): unknown {
    assert.equal(self, this.history);
    const [, , path] = args;
    if (path === "bad") throw new RangeError("SecurityError");
    if (typeof path === "string") this.location.pathname = path;
    return "moved";
  }

  /** Has the listeners of a type hear an event. */
  dispatch(type: string, event: unknown = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  /** Runs what was put off. */
  settle(): void {
    for (let jobs = 1; jobs > 0;) {
      const due = [...this.#microtasks.splice(0), ...this.#timers.splice(0)];
      for (const job of due) job();
      jobs = due.length;
    }
  }

  /** What was told since the last call, but for the frame of the messages. */
  told(type: string): Record<string, unknown>[] {
    this.settle();
    return this.sent.splice(0).map(({ message, origin }) => {
      const { source, v, type: told, ...facts } = message as Record<
        string,
        unknown
      >;
      assert.deepEqual({ source, v, told, origin }, {
        source: "porthole",
        v: 1,
        told: type,
        origin: ANCESTOR,
      });
      return facts;
    });
  }
}

type Move = (state: unknown, unused: string, path?: string) => unknown;

/** The text that is told of what the page logs. */
function textOf(...args: unknown[]): unknown {
  const page = new Page({ kinds: ["console"] });
  page.console.log?.(...args);
  const [told, ...more] = page.told("console");
  assert.deepEqual(more, []);
  assert.deepEqual(page.logged, [["log", ...args]]);
  return told?.text;
}

Deno.test("the script is short, in ASCII, fits into an element, and is allowed by its hash", () => {
  const { text, source } = BRIDGE;
  assert.ok(text.length <= 4096, `${text.length} bytes`);
  assert.match(text, /^[\n\x20-\x7e]+$/);
  assert.doesNotMatch(text, /<\/script|<!--/i);
  const digest = createHash("sha256").update(text).digest("base64");
  assert.equal(source, `'sha256-${digest}'`);
  const element = bridgeElement({ ancestors: ['"><b>'], bridge: ["errors"] });
  assert.equal(
    element,
    `<script data-porthole="{&quot;errors&quot;:true,&quot;ancestors&quot;:[&quot;\\&quot;&gt;&lt;b&gt;&quot;]}">${text}</script>`,
  );
});

Deno.test("the script leaves the document as it was, and a page that is in no frame alone", () => {
  const page = new Page({ isFramed: false });
  assert.equal(page.isRemoved, true);
  page.console.log?.("a");
  page.dispatch("error", { message: "a", filename: "" });
  page.history.pushState(null, "", "/b");
  page.settle();
  assert.deepEqual(page.sent, []);
  assert.deepEqual(page.console, page.ownConsole);
  assert.equal(new Page().isRemoved, true);
});

Deno.test("only the page around hears, and only if it is listed; each that is listed where a browser does not tell", () => {
  const ancestors = [OTHER, ANCESTOR];
  for (
    const [ancestorOrigins, expected] of [
      [[ANCESTOR, OTHER], [ANCESTOR]],
      [["https://c.example", ANCESTOR], []],
      [["null"], []],
      [null, ancestors],
    ] as const
  ) {
    const page = new Page({
      ancestors,
      ancestorOrigins,
      kinds: ["navigation"],
    });
    assert.deepEqual(page.sent.map(({ origin }) => origin), expected);
  }
});

Deno.test("what an embed does not ask for is neither told nor touched", () => {
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const page = new Page({ kinds: [], fetch });
  assert.equal(page.window.fetch, fetch);
  assert.deepEqual(page.console, page.ownConsole);
  page.console.log?.("a");
  page.dispatch("error", { message: "a", filename: "" });
  page.dispatch("unhandledrejection", { reason: "a" });
  page.dispatch("popstate");
  page.settle();
  assert.deepEqual(page.sent, []);
});

Deno.test("console lines are told by level, and the page's console works as before", () => {
  const page = new Page({ kinds: ["console"] });
  for (const level of ["log", "info", "warn", "error", "debug"]) {
    assert.equal(page.console[level]?.("a", 1), `${level}ged`);
    assert.deepEqual(page.logged.pop(), [level, "a", 1]);
    assert.deepEqual(page.told("console"), [{ level, text: "a 1" }]);
  }
  page.console.table?.([1]);
  page.console.log?.();
  assert.deepEqual(page.told("console"), []);
});

Deno.test("values are told as text", () => {
  assert.equal(
    textOf("a", 1, -0, true, null, undefined, 10n, Symbol("b")),
    "a 1 0 true null undefined 10 Symbol(b)",
  );
  assert.equal(textOf([1, "a", [2]]), "Array {0: 1,1: a,2: Array {0: 2}}");
  assert.equal(
    textOf({ a: 1, b: { c: "d" } }),
    "Object {a: 1,b: Object {c: d}}",
  );
  assert.equal(textOf(new Map([[1, 2]])), "Map {}");
  assert.equal(textOf(() => {}), "Function {}");
  assert.equal(textOf(Object.create(null)), "Object {}");
  assert.equal(
    textOf({ a: { b: { c: { d: 1 } } } }),
    "Object {a: Object {b: Object {c: Object}}}",
  );
  const error = new TypeError("bad");
  error.stack = "TypeError: bad\n    at f (a.js:1:2)";
  assert.equal(textOf(error), "TypeError: bad\n\n    at f (a.js:1:2)");
  error.stack = "f@a.js:1:2";
  assert.equal(textOf("It:", error), "It: TypeError: bad\nf@a.js:1:2");
  delete error.stack;
  assert.equal(textOf(error), "TypeError: bad\n");
});

Deno.test("a format is filled in, and its styles left out", () => {
  assert.equal(
    textOf("%s is %d, %o", "a", 1, [2], 3),
    "a is 1, Array {0: 2} 3",
  );
  assert.equal(textOf("%c[vite]%c hello", "color: red", ""), "[vite] hello");
  assert.equal(textOf("100%s"), "100%s");
  assert.equal(textOf("100% of %x", 1), "100% of %x 1");
  assert.equal(textOf(1, "%s", 2), "1 %s 2");
});

Deno.test("values that are cyclic, huge or hostile are told in part or not at all, and nothing is thrown", () => {
  const cyclic: Record<string, unknown> = { a: 1 };
  cyclic.self = cyclic;
  assert.match(String(textOf(cyclic)), /^Object \{a: 1,self: Object \{a: 1,/);
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [`k${at}`, at]),
  );
  const manyText = String(textOf(many));
  assert.ok(manyText.includes("k19: 19") && !manyText.includes("k20"));
  assert.equal(textOf(new Uint8Array(1e6)), "Uint8Array");
  assert.equal(textOf(Array(1e6)), "Array");
  assert.equal(String(textOf("a".repeat(1e6))).length, 2048);
  const wide = Array(20).fill(Array(20).fill(Array(20).fill("a".repeat(2048))));
  assert.equal(String(textOf(wide)).length, 2048);
  let calls = 0;
  const withGetter = {
    get a() {
      return ++calls;
    },
  };
  assert.equal(textOf(withGetter), "Object {a: getter}");
  assert.equal(calls, 0);

  const thrower = new Proxy({}, {
    get() {
      throw new Error("noticed");
    },
    ownKeys() {
      throw new Error("noticed");
    },
    getPrototypeOf() {
      throw new Error("noticed");
    },
  });
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = new Error("a");
  Object.defineProperty(hostile, "stack", {
    get() {
      throw new Error("noticed");
    },
  });
  const page = new Page({ kinds: ["console"] });
  for (const value of [thrower, revoked, hostile]) {
    assert.equal(page.console.log?.(value), "logged");
    assert.equal(page.logged.length, 1);
    assert.equal(page.logged.pop()?.[1], value);
    assert.deepEqual(page.told("console"), []);
  }
});

Deno.test("a proxy that is logged is not read while the page runs", () => {
  const page = new Page({ kinds: ["console"] });
  let reads = 0;
  const handler = {
    ownKeys(target: object) {
      reads++;
      return Reflect.ownKeys(target);
    },
  };
  page.console.log?.(new Proxy({ a: 1 }, handler));
  assert.equal(reads, 0);
  assert.deepEqual(page.told("console"), [
    { level: "log", text: "Object {a: 1}" },
  ]);
  assert.equal(reads, 1);
});

Deno.test("a navigation that the browser refuses throws as before, and is not told", () => {
  const page = new Page({ kinds: ["navigation"] });
  page.sent.length = 0;
  assert.throws(() => page.history.pushState(null, "", "bad"), RangeError);
  assert.deepEqual(page.told("navigation"), []);
});

Deno.test("errors are told with their stack or place, and resources that cannot be loaded by their URL", () => {
  const page = new Page({ kinds: ["errors"] });
  const error = new Error("bad");
  error.stack = "f@a.js:1:2";
  const message = "Uncaught Error: bad";
  page.dispatch("error", { error, message, filename: "https://p/a.js" });
  page.dispatch("error", {
    error: null,
    message: "Script error.",
    filename: "",
  });
  page.dispatch("error", { target: { src: "https://p/b.js" } });
  page.dispatch("error", { target: { href: "https://p/c.css" } });
  assert.deepEqual(page.told("error"), [
    { kind: "error", message: "Error: bad\nf@a.js:1:2 https://p/a.js" },
    { kind: "error", message: "Script error. " },
    { kind: "error", message: "Cannot load https://p/b.js" },
    { kind: "error", message: "Cannot load https://p/c.css" },
  ]);
  // An app's own events of that name.
  page.dispatch("error", { target: {} });
  page.dispatch("error", {});
  page.dispatch("error", null);
  assert.deepEqual(page.told("error"), []);
});

Deno.test("rejections that nobody handles are told", () => {
  const page = new Page({ kinds: ["errors"] });
  page.dispatch("unhandledrejection", { reason: "no" });
  page.dispatch("unhandledrejection", { reason: undefined });
  assert.deepEqual(page.told("error"), [
    { kind: "rejection", message: "no" },
    { kind: "rejection", message: "undefined" },
  ]);
});

Deno.test("a fetch does what it did, and is told if it fails or its status is an error", async () => {
  const calls: unknown[][] = [];
  const responses: unknown[] = [
    { status: 200, url: "https://p/ok" },
    { status: 0, url: "" },
    { status: 404, url: "https://p/api" },
    { status: 500, url: "https://p/b" },
  ];
  const page = new Page({
    kinds: ["errors"],
    fetch: (...args) => {
      calls.push(args);
      return Promise.resolve(responses[calls.length - 1]);
    },
  });
  const init = { method: "POST" };
  for (const response of responses) {
    assert.equal(await page.window.fetch("/a", init), response);
  }
  assert.deepEqual(calls, responses.map(() => ["/a", init]));
  assert.deepEqual(page.told("error"), [
    { kind: "fetch", message: "404 https://p/api" },
    { kind: "fetch", message: "500 https://p/b" },
  ]);
});

Deno.test("a fetch that fails does so with the very same reason, and for the page to handle", async () => {
  const reasons = [
    new TypeError("Failed to fetch"),
    new DOMException("aborted", "AbortError"),
    null,
    "mine",
  ];
  const left = reasons.values();
  const page = new Page({
    kinds: ["errors"],
    fetch: () => Promise.reject(left.next().value),
  });
  const inputs = [
    "/a",
    "/b",
    new URL("https://p/c"),
    new Request("https://p/d"),
  ];
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  try {
    for (const [index, input] of inputs.entries()) {
      await page.window.fetch(input).then(
        () => assert.fail("it has failed"),
        (reason) => assert.equal(reason, reasons[index]),
      );
    }
    await setImmediate();
    assert.deepEqual(unhandled, []);
  } finally {
    removeEventListener("unhandledrejection", listener);
  }
  const messages = page.told("error").map(({ message }) => String(message));
  assert.equal(messages.length, 3);
  assert.match(messages[0] ?? "", /^TypeError: Failed to fetch\n[^]* \/a$/);
  assert.equal(messages[1], "null https://p/c");
  assert.equal(messages[2], "mine https://p/d");
});

Deno.test("a fetch that fails unhandled is reported as such, once", async () => {
  const reason = new TypeError("Failed to fetch");
  const page = new Page({
    kinds: ["errors"],
    fetch: () => Promise.reject(reason),
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
    resolve();
  };
  addEventListener("unhandledrejection", listener);
  try {
    page.window.fetch("/a");
    await promise;
    await setImmediate();
  } finally {
    removeEventListener("unhandledrejection", listener);
  }
  assert.deepEqual(unhandled, [reason]);
});

Deno.test("navigation is told by path, at once for a page and soon for what follows, the latest for many", () => {
  const page = new Page({ kinds: ["navigation"] });
  assert.deepEqual(page.sent.map(({ message }) => message), [
    { source: "porthole", v: 1, type: "navigation", path: "/a?b#c" },
  ]);
  assert.equal(page.told("navigation").length, 1);
  for (let count = 1; count <= 100; count++) {
    assert.equal(page.history.pushState(null, "", `/${count}`), "moved");
  }
  assert.deepEqual(page.sent, []);
  assert.deepEqual(page.told("navigation"), [{ path: "/100?b#c" }]);
  page.history.replaceState(null, "", "/r");
  assert.deepEqual(page.told("navigation"), [{ path: "/r?b#c" }]);
  for (const type of ["popstate", "hashchange", "pageshow"]) {
    page.location.pathname = `/${type}`;
    page.dispatch(type);
    assert.deepEqual(page.told("navigation"), [{ path: `/${type}?b#c` }]);
  }
  page.history.pushState(null, "", `/${"x".repeat(5000)}`);
  const [long] = page.told("navigation");
  assert.equal(String(long?.path).length, 2048);
});

Deno.test("at most 30 console lines and 10 errors are told in any second, however many there are", () => {
  const page = new Page({ kinds: ["console", "errors"] });
  const flood = () => {
    for (let count = 0; count < 1000; count++) {
      page.console.log?.(count);
      page.dispatch("unhandledrejection", { reason: count });
    }
    page.settle();
    const types = page.sent.splice(0)
      .map(({ message }) => (message as { type: string }).type);
    return ["console", "error"]
      .map((type) => types.filter((one) => one === type).length);
  };
  assert.deepEqual(flood(), [30, 10]);
  page.now += 999;
  assert.deepEqual(flood(), [0, 0]);
  page.now += 1;
  assert.deepEqual(flood(), [30, 10]);
  assert.equal(page.logged.length, 3000);
});

Deno.test("a page's proxy that logs whenever it is read ends in silence", () => {
  const page = new Page({ kinds: ["console"] });
  const noisy: object = new Proxy({}, {
    ownKeys() {
      page.console.log?.(noisy);
      return [];
    },
  });
  page.console.log?.(noisy);
  assert.equal(page.told("console").length, 30);
});
