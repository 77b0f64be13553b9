import assert from "node:assert/strict";
import { stateMessage } from "../../../src/pages/frame_state.ts";
import { TELL, teller } from "../../../src/pages/tell.ts";
import { WAIT } from "../../../src/pages/waiting.ts";

const ANCESTORS = ["https://a.example", "http://localhost:5173"];
const MESSAGE = stateMessage({
  code: "port_closed",
  port: 3000,
  retryAfterSec: 2,
});

/** What an element holds for its script. */
function datasetOf(element: string): Record<string, string> {
  const fields = element.matchAll(/ data-([a-z]+)="([^"]*)"/g);
  return Object.fromEntries(
    [...fields].map(([, name, value = ""]) => [
      name,
      value.replaceAll("&quot;", '"'),
    ]),
  );
}

/** Runs the script of a page, framed by another one or not, and returns what it tells whom. */
function run({ isFramed }: { readonly isFramed: boolean }) {
  const told: unknown[] = [];
  const listeners = new Map<string, () => void>();
  const self = {};
  const parent = {
    postMessage: (message: unknown, origin: string) =>
      void told.push([origin, message]),
  };
  const dataset = datasetOf(teller(MESSAGE, ANCESTORS));
  new Function("document", "parent", "self", "addEventListener", TELL.text)(
    { currentScript: { dataset } },
    isFramed ? parent : self,
    self,
    (name: string, listener: () => void) => listeners.set(name, listener),
  );
  return { told, listeners };
}

Deno.test("the page in a frame tells its ancestors, and nobody else, its state at once, and once more before it becomes the app's", () => {
  const { told, listeners } = run({ isFramed: true });
  const first = ANCESTORS.map((origin) => [origin, { ...MESSAGE }]);
  assert.deepEqual(told, first);
  listeners.get("porthole-ready")?.();
  const { retryAfterSec: _, ...rest } = MESSAGE;
  const ready = { ...rest, state: "ready", code: null };
  assert.deepEqual(told, [
    ...first,
    ...ANCESTORS.map((origin) => [origin, ready]),
  ]);
});

Deno.test("a page in a window tells nobody", () => {
  const { told, listeners } = run({ isFramed: false });
  listeners.get("porthole-ready")?.();
  assert.deepEqual(told, []);
});

Deno.test("neither data nor script of the element that tells can end it", () => {
  const element = teller(MESSAGE, ['https://a.example"></script><script>']);
  assert.equal(element.match(/<script/g)?.length, 1);
  assert.equal(element.match(/<\/script/g)?.length, 1);
});

/** What a waiting page says at its own reload, if its address answers with this error. */
async function reloadOf(error: string | null, origin: string) {
  const reload = Promise.withResolvers<void>();
  const events: string[] = [];
  let start = () => {};
  const elapsed = { parentElement: {}, textContent: "" };
  new Function(
    ...["document", "origin", "location", "addEventListener", "dispatchEvent"],
    ...["fetch", "setTimeout", "setInterval", "sessionStorage"],
    "AbortSignal",
    WAIT.text,
  )(
    {
      currentScript: { dataset: { seconds: "2", code: "port_closed" } },
      getElementById: () => elapsed,
      hidden: false,
    },
    origin,
    { reload: reload.resolve },
    (_: string, listener: () => void) => start = listener,
    ({ type }: Event) => events.push(type),
    () =>
      Promise.resolve(
        new Response(null, {
          headers: error === null ? {} : { "x-porthole-error": error },
        }),
      ),
    (callback: () => void) => callback(),
    () => {},
    { getItem: () => null, setItem() {}, removeItem() {} },
    { timeout: () => undefined },
  );
  start();
  await reload.promise;
  return events;
}

Deno.test("a waiting page says that the app is ready before it reloads, but not where another error has come, or it cannot know", async () => {
  const site = "https://3000-box.p.test";
  assert.deepEqual(await reloadOf(null, site), ["porthole-ready"]);
  assert.deepEqual(await reloadOf("sandbox_stopped", site), []);
  // A sandboxed frame's, which reloads without a look.
  assert.deepEqual(await reloadOf(null, "null"), []);
});
