/**
 * `/webhooks/daytona` on base hosts: Daytona tells of sandboxes that have changed, by messages that are signed as Standard
 * Webhooks are. They are hints: what is cached of the sandbox is forgotten, and whoever asks next asks the API.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { createHmac, timingSafeEqual } from "node:crypto";
import { isSandboxRef } from "../../address/grammar.ts";
import {
  checkBase,
  type ControlContext,
  type ControlEnv,
  json,
  refusal,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { parseJson } from "../../lib/parse_json.ts";

/** Longest message, bytes: Daytona's have some 300. */
const MAX_LENGTH = 4096;

/** A signature is good for so long before and after its time, ms. */
const GOOD_FOR_MS = 5 * 60 * 1000;

/** An HMAC-SHA256 in base64, and how many are looked at: two are sent while a secret is replaced. */
const SIGNATURE = /^v1,[A-Za-z0-9+/]{43}=$/;
const MAX_SIGNATURES = 8;

/** Messages are remembered for longer than that. */
const REMEMBERED = { max: 10_000, ttlMs: 11 * 60 * 1000 };

/** The events that change what is cached of a sandbox. */
const EVENTS: ReadonlySet<unknown> = new Set([
  "sandbox.created",
  "sandbox.state.updated",
]);

type WebhookParts = Pick<FeatureParts, "changes" | "throttle" | "now">;

export const WEBHOOK_ROUTE = createRoute({
  method: "post",
  path: "/webhooks/daytona",
  summary: "Hear of a change",
  description:
    "For Daytona's webhooks (Standard Webhooks, as Svix sends them), with `WEBHOOK_SECRET`. What is cached of the sandbox " +
    "of a `sandbox.created` or `sandbox.state.updated` is forgotten at once; other events have no effect. A message is " +
    "good for five minutes, and a second time it has no effect.",
  request: {
    headers: z.object({
      "webhook-id": z.string().optional(),
      "webhook-timestamp": z.string().optional(),
      "webhook-signature": z.string().optional().describe(
        "`v1,` and the signature in base64. Svix’s names, such as `svix-signature`, count as well.",
      ),
    }),
    body: {
      content: json(z.object({
        event: z.string().openapi({ example: "sandbox.state.updated" }),
        id: z.string().describe("The sandbox."),
      })),
    },
  },
  responses: {
    204: { description: "Heard." },
    400: refusal("Not a message."),
    403: refusal("Not signed with the secret."),
    404: refusal("`WEBHOOK_SECRET` is not set."),
    408: refusal("It did not arrive in time."),
    413: refusal("It is longer than 4 KiB."),
    429: refusal("Too many of this address were refused."),
  },
});

/** Adds `/webhooks/daytona`, for endpoints with these secrets, `whsec_…`. */
export function addWebhookRoutes(
  app: OpenAPIHono<ControlEnv>,
  secrets: readonly string[],
  parts: WebhookParts,
): void {
  const keys = secrets.map((secret) =>
    Uint8Array.fromBase64(secret.slice("whsec_".length))
  );
  const heard = new ExpiringLru<string, true>(REMEMBERED);
  // Not by the description: the signature is of the body's bytes, and is checked before anything is made of them.
  app.post(WEBHOOK_ROUTE.path, async ({ req, env }) => {
    const { id, body } = await readSigned(req.raw, env, keys, parts);
    const message = objectOf(body);
    if (!heard.has(id)) {
      heard.set(id, true);
      const { event, id: sandboxId } = message;
      if (
        EVENTS.has(event) && typeof sandboxId === "string" &&
        isSandboxRef(sandboxId)
      ) await parts.changes.announce(sandboxId);
    }
    return new Response(null, { status: 204 });
  });
}

/**
 * A message that was signed with one of the keys (Standard Webhooks, "Verifying webhook authenticity"). What is surely
 * none is not read; what is refused is charged to its client, which gets none of its good ones refused by that.
 * @throws {GatewayError} `route_not_found` on other hosts, `webhook_refused` or `too_many_refusals` if nobody who knows a
 * key signed it, or not in these minutes, and as {@linkcode ControlContext.readForm}
 */
async function readSigned(
  { headers }: Request,
  context: ControlContext,
  keys: readonly Uint8Array[],
  { throttle, now }: WebhookParts,
): Promise<{ id: string; body: Uint8Array<ArrayBuffer> }> {
  checkBase(context);
  const { clientAddress, readForm } = context;
  function refused(reason: string): GatewayError {
    const client = { clientAddress, isSentByPage: isSentByPage(headers) };
    const budget = throttle.budgetFor(client);
    budget.spend();
    budget.settle({ isAdmitted: false });
    return new GatewayError("webhook_refused", reason);
  }
  const field = (name: string) =>
    headers.get(`webhook-${name}`) ?? headers.get(`svix-${name}`) ?? "";
  const id = field("id");
  const timestamp = field("timestamp");
  const signatures = field("signature").split(" ", MAX_SIGNATURES)
    .filter((each) => SIGNATURE.test(each))
    .map((each) => Uint8Array.fromBase64(each.slice("v1,".length)));
  if (id === "" || signatures.length === 0) throw refused("Not signed");
  const ageMs = now() - 1000 * Number(timestamp);
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(ageMs) > GOOD_FOR_MS) {
    throw refused("Not signed within five minutes");
  }
  const body = await readForm(MAX_LENGTH);
  const isSigned = keys.some((key) => {
    const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`)
      .update(body).digest();
    return signatures.some((each) => timingSafeEqual(each, digest));
  });
  if (!isSigned) throw refused("Signed with no key of ours");
  return { id, body };
}

/** @throws {GatewayError} `bad_request` if a text is no JSON */
function objectOf(
  text: Uint8Array<ArrayBuffer>,
): Readonly<Record<string, unknown>> {
  const value = parseJson(new TextDecoder().decode(text));
  if (value === undefined) throw new GatewayError("bad_request", "No JSON");
  return Object(value);
}
