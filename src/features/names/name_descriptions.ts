/** Names at `/api/v1/names`: what is asked for, what is told of them, and the descriptions of the routes. */
import { z } from "@hono/zod-openapi";
import {
  ASKED_OF_ALL,
  portField,
  timeField,
  timeOf,
  TOLD_OF_ALL,
} from "../../control/api/fields.ts";
import {
  API_REFUSALS,
  BODY_REFUSALS,
} from "../../control/api/record_descriptions.ts";
import { json, refusal, type RouteConfig } from "../../control/route.ts";
import { digestKey } from "../../lib/digest.ts";
import { txtNameOf } from "./domain_proof.ts";
import type { KeptName, NameTag } from "./kept_name.ts";

const { sandbox } = ASKED_OF_ALL;

/** The body of a name that is given or changed. */
export const ASKED_NAME = z.strictObject({ sandbox, port: portField });

/** The body of a request that says nothing. */
export const NOTHING_ASKED = z.strictObject({});

/** Whose names are listed. */
export const NAMES_QUERY = z.object({ sandbox });

const { sandboxId, createdAt, createdBy } = TOLD_OF_ALL;

const TOLD_NAME = z.object({
  host: z.string(),
  kind: z.enum(["alias", "domain"]),
  sandboxId,
  port: z.number().int(),
  state: z.enum(["active", "pending", "suspended"]).describe(
    "It leads to the port while it is `active`. A domain is `pending` until it is verified, and `suspended` after three days without what its DNS must say.",
  ),
  createdAt,
  createdBy,
  expiresAt: timeField.nullable().describe(
    "When a pending domain is forgotten; null for never.",
  ),
  verification: z.object({
    txt: z.object({ name: z.string(), value: z.string() }),
    cname: z.object({ name: z.string(), target: z.string() }),
  }).optional().describe("What the DNS of a domain must say for good."),
  failingSince: timeField.nullable().describe(
    "Since when it has not said so; null while it does.",
  ),
  lastError: z.string().nullable().describe("Why the last check failed."),
});

/** What is told of a name. */
export function told(
  { createdAt, endsAt, failingSince, proof, ...name }: KeptName,
): Readonly<Record<string, unknown>> {
  const { host, kind, sandboxId, port, state, createdBy, lastError } = name;
  return {
    host,
    kind,
    sandboxId,
    port,
    state,
    createdAt: timeOf(createdAt),
    createdBy,
    expiresAt: endsAt && timeOf(endsAt),
    ...proof && {
      verification: {
        txt: { name: txtNameOf(host), value: proof.nonce },
        cname: { name: host, target: proof.target },
      },
    },
    failingSince: failingSince && timeOf(failingSince),
    lastError,
  };
}

/** What a name is known by: anything that is told and changes, changes it. */
export function tagOf(name: KeptName): NameTag {
  return digestKey([JSON.stringify(told(name))]);
}

const PATH = "/api/v1/names";
const MEMBERS = "For members of the sandbox.";
const RECORD = { content: json(TOLD_NAME) };
const PARAMS = z.object({
  host: z.string().openapi({ example: "shop.preview.example.com" }),
});
const OF_ONE = {
  path: `${PATH}/{host}`,
  description: MEMBERS,
  request: { params: PARAMS },
};

const TOO_OFTEN = refusal("Too many refusals, or changes in a minute.");
const NOT_AS_NAMED = refusal("It is not what If-Match or If-None-Match names.");

/** The descriptions of the routes. */
export const NAME_ROUTES: readonly RouteConfig[] = [{
  ...OF_ONE,
  method: "put",
  operationId: "names_put",
  summary: "Give a port of a sandbox a name, or lead a name to another port",
  description:
    `${MEMBERS} One label below \`NAMES_DOMAIN\` is an alias, which is active at once; another host is a domain, whose DNS must prove whose it is. ` +
    "A name that the organization has leads there from then on. Unless `NAMES` is `off` or `operator`.",
  request: {
    params: PARAMS,
    body: { required: true, content: json(ASKED_NAME) },
  },
  responses: {
    200: { description: "Changed, at all gateways within 5 s.", ...RECORD },
    201: { description: "Made.", ...RECORD },
    ...API_REFUSALS,
    409: refusal(
      "Somebody else has it, or had it in the last 30 days; or there are too many.",
    ),
    412: NOT_AS_NAMED,
    429: TOO_OFTEN,
    ...BODY_REFUSALS,
  },
}, {
  method: "get",
  path: PATH,
  operationId: "names_list",
  summary: "The names of a sandbox, newest first",
  description: MEMBERS,
  request: { query: NAMES_QUERY },
  responses: {
    200: {
      description: "All of them.",
      content: json(z.object({ items: z.array(TOLD_NAME) })),
    },
    ...API_REFUSALS,
  },
}, {
  ...OF_ONE,
  method: "get",
  operationId: "names_read",
  summary: "A name",
  responses: { 200: { description: "It.", ...RECORD }, ...API_REFUSALS },
}, {
  ...OF_ONE,
  method: "delete",
  operationId: "names_end",
  summary: "Give up a name, which no other organization gets for 30 days",
  responses: {
    204: { description: "Given up, at all gateways within 5 s." },
    ...API_REFUSALS,
    412: NOT_AS_NAMED,
    429: TOO_OFTEN,
  },
}, {
  ...OF_ONE,
  method: "post",
  path: `${PATH}/{host}/verify`,
  operationId: "names_verify",
  summary: "Ask the DNS about a domain now",
  description:
    `${MEMBERS} It is active then, unless \`lastError\` says why not.`,
  request: {
    params: PARAMS,
    body: { required: true, content: json(NOTHING_ASKED) },
  },
  responses: {
    200: { description: "As it is now.", ...RECORD },
    ...API_REFUSALS,
    409: refusal("Another organization was faster."),
    ...BODY_REFUSALS,
  },
}];
