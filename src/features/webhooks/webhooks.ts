/**
 * `/webhooks/daytona` on base hosts: Daytona tells of sandboxes that have changed, by messages that are signed as Standard
 * Webhooks are. They are hints: what is cached of the sandbox is forgotten, and whoever asks next asks the API.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { Webhook } from "standardwebhooks";
import { isSandboxRef } from "../../address/grammar.ts";
import {
  type ControlContext,
  type ControlEnv,
  refusal,
} from "../../control/route.ts";
import { ownForm } from "../../downstream/http/form.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { describeError } from "../../lib/describe_error.ts";
import { ExpiringLru } from "../../lib/lru.ts";

/** Longest message, bytes: Daytona's have some 300. */
const MAX_LENGTH = 65_536;

/** Messages are remembered for longer than a signature is good for, which is five minutes before and after its time. */
const REMEMBERED = { max: 10_000, ttlMs: 11 * 60 * 1000 };

/** The events that change what is cached of a sandbox. */
const EVENTS: ReadonlySet<unknown> = new Set([
  "sandbox.created",
  "sandbox.state.updated",
]);

const route = createRoute({
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
      "webhook-signature": z.string().optional().openapi({
        description:
          "`v1,` and the signature in base64. Svix’s names, such as `svix-signature`, count as well.",
      }),
    }),
    body: {
      content: {
        "application/json": {
          schema: z.object({
            event: z.string().openapi({ example: "sandbox.state.updated" }),
            id: z.string().openapi({ description: "The sandbox." }),
          }),
        },
      },
    },
  },
  responses: {
    204: { description: "Heard." },
    400: refusal("Not a message, or too long."),
    403: refusal("Not signed with the secret."),
    404: refusal("`WEBHOOK_SECRET` is not set."),
    408: refusal("It did not arrive in time."),
  },
});

/** What {@linkcode addWebhookRoutes} adds. */
export const WEBHOOK_ROUTES = [route];

/** Adds `/webhooks/daytona`, for endpoints with these secrets, `whsec_…`. */
export function addWebhookRoutes(
  app: OpenAPIHono<ControlEnv>,
  secrets: readonly string[],
  changes: FeatureParts["changes"],
): void {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  const heard = new ExpiringLru<string, true>(REMEMBERED);
  // Not by the description: the signature is of the body's bytes, and is checked before anything is made of them.
  app.post(route.path, async ({ req, env }) => {
    const { id, message } = await readSigned(req.raw, env, webhooks);
    if (!heard.has(id)) {
      heard.set(id, true);
      const { event, id: sandboxId } = message;
      if (
        EVENTS.has(event) && typeof sandboxId === "string" &&
        isSandboxRef(sandboxId)
      ) await changes.announce(sandboxId);
    }
    return new Response(null, { status: 204 });
  });
}

/**
 * @throws {GatewayError} `route_not_found` on other hosts, `bad_request` or `upload_stalled` if there is no message,
 * `webhook_refused` if nobody who knows a secret signed it, or not in these minutes
 */
async function readSigned(
  request: Request,
  { base }: ControlContext,
  webhooks: readonly Webhook[],
): Promise<{ id: string; message: Readonly<Record<string, unknown>> }> {
  if (base === undefined) {
    throw new GatewayError("route_not_found", "No webhooks on this host");
  }
  const { headers } = request;
  const length = headers.get("content-length") ?? "";
  if (!/^[0-9]{1,6}$/.test(length) || Number(length) > MAX_LENGTH) {
    throw new GatewayError("bad_request", "No message of known, short length");
  }
  const signed = Object.fromEntries(
    ["id", "timestamp", "signature"].map((name) => [
      `webhook-${name}`,
      headers.get(`webhook-${name}`) ?? headers.get(`svix-${name}`) ?? "",
    ]),
  );
  const body = new TextDecoder().decode(await ownForm(request));
  checkSignature(webhooks, body, signed);
  return { id: signed["webhook-id"] ?? "", message: objectOf(body) };
}

/** @throws {GatewayError} `webhook_refused` */
function checkSignature(
  webhooks: readonly Webhook[],
  body: string,
  signed: Record<string, string>,
): void {
  let reason: unknown;
  for (const webhook of webhooks) {
    try {
      return void webhook.verify(body, signed, { jsonParse: false });
    } catch (error) {
      reason = error;
    }
  }
  throw new GatewayError("webhook_refused", describeError(reason));
}

/** @throws {GatewayError} `bad_request` if a text is no JSON */
function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    throw new GatewayError("bad_request", "No JSON", { cause });
  }
}
