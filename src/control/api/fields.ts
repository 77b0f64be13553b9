/** The members of requests to `/api/v1` and of their answers. */
import { z } from "@hono/zod-openapi";
import { isAlwaysPrivate, isPort } from "../../address/grammar.ts";
import { withoutTokens } from "../../auth/preview_token.ts";
import { isAncestor } from "../../http/origin.ts";
import { SANDBOX } from "../routes/sandbox_paths.ts";

/** Longest life of what a member grants, seconds. */
export const MAX_LIFE_SEC = 30 * 86_400;

/** A port that somebody may be let in at: none of Daytona's own services. */
export const portField = z.number().refine(
  (port) => isPort(port) && !isAlwaysPrivate(port),
  { message: "must be a port from 1 to 65535, and not 2280, 22222 or 33333" },
).openapi({ type: "integer", minimum: 1, maximum: 65_535 });

/** Such ports, each once. */
export const portsField = eachOnce(z.array(portField).min(1).max(20));

/** Origins whose pages may show a preview in frames, each once. */
export const ancestorsField = eachOnce(
  z.array(
    z.string().max(300).refine(isAncestor, {
      message:
        "must be an origin such as https://app.example.com or http://localhost:5173",
    }),
  ).min(1).max(8),
);

/** A path of that port, in visible ASCII: however it is read, it leads to no other host, and opens nothing by itself. */
export const pathField = z.string().max(2000)
  .regex(/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/)
  .refine((path) => withoutTokens(path) === path, {
    message: "must have no token in its query",
  }).default("/");

/** The methods of requests, each once. */
export const methodsField = eachOnce(
  z.array(
    z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
  ).min(1),
);

/** A time (ISO 8601) in UTC. */
export const timeField = z.iso.datetime();

/** What is asked for of every kind of records. */
export const ASKED_OF_ALL = {
  sandbox: SANDBOX.describe("Its id, or its name where previews have names."),
  expiresInSec: z.number().int().min(1).max(MAX_LIFE_SEC),
  note: z.string().max(200).optional(),
};

/** What of it was asked for. */
export type AskedOfAll = z.output<z.ZodObject<typeof ASKED_OF_ALL>>;

/** Which records are listed. */
export const LIST_QUERY = z.object({
  sandbox: ASKED_OF_ALL.sandbox,
  cursor: z.string().max(1000).optional().describe(
    "`next` of the page before.",
  ),
});

/** What is told of every record. */
export const TOLD_OF_ALL = {
  id: z.string(),
  sandboxId: z.string(),
  createdAt: timeField,
  createdBy: z.string().nullable().describe(
    "What `LOG_SUBJECT` calls the member.",
  ),
  expiresAt: timeField,
  note: z.string().nullable(),
};

/** The time in ms since the epoch as {@linkcode timeField}. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function eachOnce<T extends z.ZodType<readonly unknown[]>>(list: T): T {
  return list.refine((values) => new Set(values).size === values.length, {
    message: "must have each only once",
  });
}
