import assert from "node:assert/strict";
import type { Gate } from "../../../src/auth/gate.ts";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import type { Feature } from "../../../src/gateway/feature.ts";
import { SandboxHandlers } from "../../../src/gateway/preview.ts";
import { PreviewExchange } from "../../../src/gateway/sandbox_exchange.ts";
import { FloodBans } from "../../../src/downstream/websocket/rate_limit.ts";
import { ByteBudget } from "../../../src/lib/byte_budget.ts";
import type { Forwarder } from "../../../src/proxy/forward.ts";
import type { UpstreamResponse } from "../../../src/upstream/http1/message.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../support/exchange.ts";

const NO_CONTENT: UpstreamResponse = { status: 204, headers: [], body: null };
const ADMITTED = { kind: "allow", sandboxId: "box", by: "public" } as const;

/** Sends a GET to an app that fails with these codes, one after another, and then answers 204. */
function sendTo(codes: readonly ErrorCode[], features: readonly Feature[]) {
  const { services } = exchangeServices();
  const left = [...codes];
  const gate: Partial<Gate> = {
    admit: () => Promise.resolve(ADMITTED),
    isMember: () => Promise.resolve(false),
  };
  const forwarder: Partial<Forwarder> = {
    forward() {
      const code = left.shift();
      return code === undefined
        ? Promise.resolve(NO_CONTENT)
        : Promise.reject(new GatewayError(code, "test"));
    },
  };
  const handlers = new SandboxHandlers({
    ...services,
    toolboxOnly: false,
    sessionTtlMs: 0,
    tunnelLimits: {
      bufferLimitBytes: 0,
      maxMessageBytes: 0,
      budget: new ByteBudget({ limitBytes: 0 }),
      memoryGuard: undefined,
      bans: new FloodBans(() => 0),
    },
    gate: gate as Gate,
    forwarder: forwarder as Forwarder,
    features,
    accessEvents: { refused() {}, usedGrant() {} },
    sessions: {
      open: () => Promise.resolve(undefined),
      seal: () => Promise.reject(new Error("Not reached")),
    },
    plantedCookies: { headersFor: () => Promise.resolve([]) },
    login: { state: "off" },
    states: { stateOf: () => Promise.resolve(undefined) },
    destinations: { renewDestination: () => Promise.resolve(null) },
  });
  const x = new PreviewExchange(incomingRequest(), PREVIEW_HOST, services);
  return handlers.preview(x);
}

/** The code of a failure. */
function codeOf(failure: unknown): ErrorCode | undefined {
  return failure instanceof GatewayError ? failure.code : undefined;
}

Deno.test("a feature may have a failed request sent again, answer it, or tell of another failure", async () => {
  const told: (ErrorCode | undefined)[] = [];
  const patient: Feature = {
    explain: (failure) =>
      Promise.resolve(codeOf(failure) === "port_closed" ? "again" : undefined),
  };
  const renaming: Feature = {
    explain: (failure) =>
      Promise.resolve(
        codeOf(failure) === "api_unreachable"
          ? new GatewayError("overloaded", "test")
          : undefined,
      ),
  };
  const answering: Feature = {
    explain(failure) {
      told.push(codeOf(failure));
      return Promise.resolve(
        codeOf(failure) === "runner_timeout"
          ? new Response("instead", { status: 203 })
          : undefined,
      );
    },
  };
  const features = [{}, patient, renaming, answering];
  const again = await sendTo(["port_closed", "port_closed"], features);
  assert.equal(again.status, 204);
  const answer = await sendTo(["port_closed", "runner_timeout"], features);
  assert.deepEqual([answer.status, await answer.text()], [203, "instead"]);
  await assert.rejects(sendTo(["api_unreachable"], features), {
    code: "overloaded",
  });
  await assert.rejects(sendTo(["internal"], features), { code: "internal" });
  // Each is told what those before it have made of the failure, and of nothing that was sent again.
  assert.deepEqual(told, ["runner_timeout", "overloaded", "internal"]);
});
