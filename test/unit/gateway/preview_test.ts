import assert from "node:assert/strict";
import type { Gate } from "../../../src/auth/gate.ts";
import type { Verdict } from "../../../src/auth/verdict.ts";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import { chainsOf } from "../../../src/gateway/chains.ts";
import type { Feature } from "../../../src/gateway/feature.ts";
import { OpenedLinks } from "../../../src/gateway/opened_links.ts";
import { SandboxHandlers } from "../../../src/gateway/preview.ts";
import { previewExchange } from "../../../src/gateway/preview_route.ts";
import { toolboxExchange } from "../../../src/gateway/toolbox_route.ts";
import { FloodBans } from "../../../src/downstream/websocket/rate_limit.ts";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import type { HeaderList } from "../../../src/http/headers.ts";
import type { AdmittedRequest, Forwarder } from "../../../src/proxy/forward.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../support/exchange.ts";
import { hostParser, type Names } from "../../support/names.ts";

const ADMITTED = { kind: "allow", sandboxId: "box", by: "public" } as const;

/** The parts of a handler's world that a test chooses. */
interface World {
  readonly verdict?: Verdict;
  readonly features?: readonly Feature[];
  readonly login?: "on" | "off";
  readonly forward?: Forwarder["forward"];
  /** The name that is asked for; undefined for the preview host. */
  readonly name?: string;
  readonly names?: Names;
}

/** Sends a GET with these fields to a preview or toolbox in such a world. */
function setUp(
  {
    verdict = ADMITTED,
    features = [],
    login = "off",
    forward = () => Promise.resolve({ status: 200, headers: [], body: null }),
    name,
    names,
  }: World,
  fields: Record<string, string> = {},
) {
  const { services, inFlight } = exchangeServices();
  const gate: Partial<Gate> = {
    admit: () => Promise.resolve(verdict),
    readmit: () => Promise.resolve(verdict),
    isMember: () => Promise.resolve(false),
  };
  const forwarder: Partial<Forwarder> = { forward };
  const handlers = new SandboxHandlers({
    ...services,
    toolboxOnly: false,
    sessionTtlMs: 0,
    openedLinks: new OpenedLinks(services.now),
    tunnelLimits: {
      bufferLimitBytes: 0,
      maxMessageBytes: 0,
      budget: new ByteBudget({ limitBytes: 0 }),
      memoryGuard: undefined,
      bans: new FloodBans(() => 0),
    },
    gate: gate as Gate,
    forwarder: forwarder as Forwarder,
    parseHost: hostParser(["test"], names),
    chains: chainsOf(features.map((each, index) => [`${index}`, each])),
    logins: {},
    accessEvents: { refused() {}, usedGrant() {} },
    sessions: {
      open: () => Promise.resolve(undefined),
      seal: () => Promise.reject(new Error("Not reached")),
    },
    plantedCookies: { headersFor: () => Promise.resolve([]) },
    login: { state: login },
    states: { stateOf: () => Promise.resolve(undefined) },
    destinations: { renewDestination: () => Promise.resolve(null) },
  });
  const incoming = incomingRequest({}, fields);
  const host = { ...PREVIEW_HOST, ...name !== undefined && { name } };
  return {
    inFlight,
    preview: () => handlers.preview(previewExchange(incoming, host, services)),
    toolbox: () => handlers.toolbox(toolboxExchange(incoming, "box", services)),
  };
}

/** Sends a GET to an app that fails with this code. */
function sendTo(code: ErrorCode, features: readonly Feature[]) {
  const forward = () => Promise.reject(new GatewayError(code, "test"));
  return setUp({ features, forward }).preview();
}

/** The code of a failure. */
function codeOf(failure: unknown): ErrorCode | undefined {
  return failure instanceof GatewayError ? failure.code : undefined;
}

Deno.test("a feature may answer a failed request, or tell of another failure", async () => {
  const told: (ErrorCode | undefined)[] = [];
  const renaming: Feature = {
    answer: {
      failed: (failure) =>
        Promise.resolve(
          codeOf(failure) === "api_unreachable"
            ? new GatewayError("overloaded", "test")
            : undefined,
        ),
    },
  };
  const answering: Feature = {
    answer: {
      failed(failure) {
        told.push(codeOf(failure));
        return Promise.resolve(
          codeOf(failure) === "runner_timeout"
            ? new Response("instead", { status: 203 })
            : undefined,
        );
      },
    },
  };
  const features = [{}, renaming, answering];
  const answer = await sendTo("runner_timeout", features);
  assert.deepEqual([answer.status, await answer.text()], [203, "instead"]);
  await assert.rejects(sendTo("api_unreachable", features), {
    code: "overloaded",
  });
  await assert.rejects(sendTo("internal", features), { code: "internal" });
  // Each is told what those before it have made of the failure.
  assert.deepEqual(told, ["runner_timeout", "overloaded", "internal"]);
});

Deno.test("features make of an app's response what is relayed, each of what those before it have made", async () => {
  const seen: unknown[] = [];
  const marking = (mark: string): Feature => ({
    shape: {
      response(upstream, { route: { port } }, { by }) {
        seen.push([port, by, upstream.status]);
        const headers = [...upstream.headers, ["x-mark", mark] as const];
        return { ...upstream, status: upstream.status + 1, headers };
      },
    },
  });
  const features = [{}, marking("a"), {}, marking("b")];
  const relayed = await setUp({ features }).preview();
  assert.deepEqual([relayed.status, relayed.headers.get("x-mark")], [
    202,
    "a, b",
  ]);
  assert.deepEqual(seen, [[3000, "public", 200], [3000, "public", 201]]);
  // The toolbox is no app.
  const plain = await setUp({ features }).toolbox();
  assert.deepEqual([plain.status, plain.headers.get("x-mark")], [200, null]);
  assert.equal(seen.length, 2);
});

Deno.test("features make of a request what the app gets, each of what those before it have made, and of a toolbox's nothing", async () => {
  const sent: (HeaderList | undefined)[] = [];
  const adding = (name: string): Feature => ({
    shape: {
      request: (request) => ({
        ...request,
        added: [...request.added ?? [], [name, `${request.added?.length}`]],
      }),
    },
  });
  const features = [{}, adding("x-a"), adding("x-b")];
  function forward({ added }: AdmittedRequest) {
    sent.push(added);
    return Promise.resolve({ status: 200, headers: [], body: null });
  }
  await setUp({ features, forward }).preview();
  await setUp({ features, forward }).toolbox();
  assert.deepEqual(sent, [[["x-a", "undefined"], ["x-b", "1"]], undefined]);
});

Deno.test("a feature that fails on a response is a bug, which is explained as any failure", async () => {
  const told: (ErrorCode | undefined)[] = [];
  const features: Feature[] = [
    {
      shape: {
        response() {
          throw new TypeError("A defect");
        },
      },
    },
    {
      answer: {
        failed(failure) {
          told.push(codeOf(failure));
          return Promise.resolve(undefined);
        },
      },
    },
  ];
  await assert.rejects(setUp({ features }).preview(), TypeError);
  assert.deepEqual(told, [undefined]);
});

/** What a browser sends for a page in a window, and in a frame. */
const WINDOW = {
  accept: "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};
const FRAME = { ...WINDOW, "sec-fetch-dest": "iframe" };

/** The failure by which a request is turned away. */
async function failureOf(...world: Parameters<typeof setUp>) {
  try {
    await setUp(...world).preview();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  return assert.fail("It was not turned away");
}

Deno.test("the end of a frame's session is told to its ancestors, and leads to a login in a window only", async () => {
  const ancestors = ["https://product.example"];
  const ended = { kind: "deny", code: "grant_invalid", ancestors } as const;
  const on = { verdict: ended, login: "on" } as const;
  for (
    const [fields, hasLink] of [
      [FRAME, false],
      // A frame whose navigation a service worker has passed on.
      [{ ...WINDOW, "sec-fetch-dest": "empty" }, false],
      [{ accept: "text/html" }, false],
      [WINDOW, true],
    ] as const
  ) {
    const { code, advice } = await failureOf(on, fields);
    assert.equal(code, "grant_invalid");
    assert.deepEqual(advice.ancestors, hasLink ? undefined : ancestors);
    assert.equal(advice.retryUrl !== undefined, hasLink);
  }
  const token = { kind: "deny", code: "grant_invalid" } as const;
  const plain = await failureOf({ ...on, verdict: token }, {
    accept: "text/html",
  });
  assert.match(plain.advice.retryUrl ?? "", /\/login\?return_to=/);
});

Deno.test("a private preview's frame is refused with its cause, and a window goes to the login", async () => {
  const verdict = { kind: "login", code: "login_required" } as const;
  const refused = await failureOf({ verdict, login: "on" }, FRAME);
  assert.equal(refused.code, "frame_refused");
  assert.equal(refused.advice.frameCause, "login_needed");
  const { advice } = await failureOf({ verdict }, FRAME);
  assert.equal(advice.frameCause, "no_session");
  const answer = await setUp({ verdict, login: "on" }, WINDOW).preview();
  assert.equal(answer.status, 302);
});

Deno.test("a download goes on where its name leads elsewhere, and ends at the recheck once that leads nowhere", async () => {
  const other = { sandboxId: "other", port: 3000 };
  for (
    const [name, target, lasts] of [
      [undefined, undefined, true],
      ["shop.test:8443", other, true],
      ["shop.test:8443", { ...other, isSuspended: true }, false],
      ["shop.test:8443", undefined, false],
      ["shop.example", undefined, false],
    ] as const
  ) {
    let isCancelled = false;
    const body = {
      read: () => new Promise<never>(() => {}),
      cancel: () => void (isCancelled = true),
    };
    const { preview, inFlight } = setUp({
      forward: () => Promise.resolve({ status: 200, headers: [], body }),
      names: target ? { "shop.test": target } : {},
      ...name !== undefined && { name },
    });
    await preview();
    await inFlight.recheckAll();
    assert.equal(isCancelled, !lasts, `${name} leads to ${target?.sandboxId}`);
  }
});
