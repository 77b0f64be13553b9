import assert from "node:assert/strict";
import type { AddressForm } from "../../../src/proxy/app_origin.ts";
import { HandshakeForms } from "../../../src/proxy/handshake_forms.ts";
import {
  Refusal,
  type RefusalKind,
} from "../../../src/resolver/refusals/refusal.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { OpenResult } from "../../../src/upstream/websocket/handshake.ts";

const APP = { sandboxId: "box", sandboxPort: 3000 };
const OPEN = { kind: "open" } as OpenResult;

function refused(status: number): OpenResult {
  return { kind: "refused", response: { status, headers: [], body: null } };
}

/** What an upstream answers, or fails to, in place of the app. */
function refusal(kind: RefusalKind): Refusal {
  return new Refusal(kind, new GatewayError("runner_protocol_error", kind));
}

/** HandshakeForms, and an app that answers each as it is told, in that form. */
function world(
  answers: Partial<Record<AddressForm, OpenResult | Refusal>>,
  { maxApps = 10 } = {},
) {
  const clock = { now: 1000 };
  const handshakes = new HandshakeForms(maxApps, () => clock.now);
  const seen: AddressForm[] = [];

  function offer(form: AddressForm): Promise<OpenResult | Refusal> {
    seen.push(form);
    return Promise.resolve(answers[form] ?? OPEN);
  }
  return {
    clock,
    answers,
    /** What a handshake comes to, and the forms that the app saw. */
    async open(app: typeof APP = APP, form: AddressForm | "either" = "either") {
      seen.length = 0;
      const result = await handshakes.open(app, form, offer);
      if (result instanceof Refusal) return [result.kind, ...seen];
      const status = result.kind === "open" ? 101 : result.response.status;
      return [status, ...seen];
    },
  };
}

Deno.test("an app that accepts localhost sees one handshake", async () => {
  const { open } = world({});
  assert.deepEqual(await open(), [101, "local"]);
  assert.deepEqual(await open(), [101, "local"]);
});

Deno.test("an app that accepts the public address alone sees two handshakes once, and one from then on", async () => {
  const { open } = world({ local: refused(403) });
  assert.deepEqual(await open(), [101, "local", "public"]);
  assert.deepEqual(await open(), [101, "public"]);
  assert.deepEqual(await open(), [101, "public"]);
});

Deno.test("a refusal that may be about origins has a second handshake, whose refusal counts", async () => {
  for (const status of [200, 302, 400, 401, 403, 404, 426]) {
    const { open } = world({
      local: refused(status),
      public: refused(418),
    });
    assert.deepEqual(await open(), [418, "local", "public"]);
  }
});

Deno.test("of two refusals, that of what the client sent counts, whichever came first", async () => {
  const { open, answers } = world({ local: refused(403) });
  await open();
  answers.public = refused(404);
  assert.deepEqual(await open(), [404, "public", "local"]);
  answers.local = refusal("final");
  assert.deepEqual(await open(), [404, "public", "local"]);
  answers.public = refusal("dropped");
  assert.deepEqual(await open(), ["dropped", "public", "local"]);
});

Deno.test("a refusal that does not count is given up", async () => {
  const cancelled: string[] = [];
  function withBody(status: number, name: string): OpenResult {
    const body = {
      read: () => Promise.resolve(null),
      cancel: () => void cancelled.push(name),
    };
    return { kind: "refused", response: { status, headers: [], body } };
  }
  const { open, answers } = world({ local: withBody(403, "local") });
  await open();
  assert.deepEqual(cancelled, ["local"]);
  answers.public = withBody(403, "public");
  await open();
  assert.deepEqual(cancelled, ["local", "local"]);
});

Deno.test("429 and 5xx are not repeated", async () => {
  for (const status of [429, 500, 502, 503, 504]) {
    const { open } = world({ local: refused(status) });
    assert.deepEqual(await open(), [status, "local"]);
  }
});

Deno.test("a handshake that is dropped has a second one, any other that an upstream refuses has none", async () => {
  const local = refusal("dropped");
  assert.deepEqual(await world({ local }).open(), [101, "local", "public"]);
  assert.deepEqual(
    await world({ local, public: refusal("final") }).open(),
    ["final", "local", "public"],
  );
  for (
    const kind of ["not_reached", "not_there", "not_accepted", "final"] as const
  ) {
    const { open } = world({ local: refusal(kind) });
    assert.deepEqual(await open(), [kind, "local"]);
  }
});

Deno.test("the form that was accepted comes first for that port of that sandbox only, and for a day", async () => {
  const { open, clock, answers } = world({ local: refused(403) });
  await open();
  const others = [{ ...APP, sandboxPort: 5173 }, { ...APP, sandboxId: "b" }];
  for (const app of others) {
    assert.deepEqual(await open(app), [101, "local", "public"]);
  }
  delete answers.local;
  clock.now += 23 * 60 * 60 * 1000;
  assert.deepEqual(await open({ ...APP }), [101, "public"]);
  clock.now += 24 * 60 * 60 * 1000 + 1;
  assert.deepEqual(await open(), [101, "local"]);
});

Deno.test("another app on the port is found at its first handshake", async () => {
  const { open, answers } = world({ local: refused(403) });
  assert.deepEqual(await open(), [101, "local", "public"]);
  delete answers.local;
  answers.public = refused(403);
  assert.deepEqual(await open(), [101, "public", "local"]);
  assert.deepEqual(await open(), [101, "local"]);
});

Deno.test("a refusal does not make the gateway forget what an app accepts", async () => {
  const { open, answers } = world({ local: refused(403) });
  await open();
  answers.public = refused(404);
  await open();
  delete answers.public;
  assert.deepEqual(await open(), [101, "public"]);
});

Deno.test("only so many apps are remembered", async () => {
  const { open } = world({ local: refused(403) }, { maxApps: 2 });
  for (const sandboxId of ["a", "b", "c"]) await open({ ...APP, sandboxId });
  assert.deepEqual(await open({ ...APP, sandboxId: "c" }), [101, "public"]);
  assert.deepEqual(
    await open({ ...APP, sandboxId: "a" }),
    [101, "local", "public"],
  );
});

Deno.test("a handshake that has one form is made once", async () => {
  const { open } = world({ public: refused(403), local: refused(403) });
  assert.deepEqual(await open(APP, "public"), [403, "public"]);
  assert.deepEqual(await open(APP, "local"), [403, "local"]);
});

Deno.test("an app whose sockets want different addresses, such as a dev server's and the app's own, opens all of them", async () => {
  const { open, answers } = world({});
  for (let i = 0; i < 3; i++) {
    answers.local = refused(403);
    delete answers.public;
    assert.equal((await open())[0], 101);
    answers.public = refused(403);
    delete answers.local;
    assert.equal((await open())[0], 101);
  }
});
