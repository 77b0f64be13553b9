/** The common parts of the control plane's routes. */
import { type RouteConfig, type RouteHandler, z } from "@hono/zod-openapi";
import type { ReadForm } from "../downstream/http/form.ts";
import { GatewayError } from "../errors.ts";

export type { RouteConfig };

/** The facts about a request that a route cannot read from it. */
export interface ControlContext {
  readonly requestId: string;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** False if the request may have named no host at all. */
  readonly namesHost: boolean;
  /** The base domain that the request is for; undefined for any other host. */
  readonly base: string | undefined;
  /** The address to hold responsible. */
  readonly clientAddress: string;
  /** Throws `pages_overloaded` if too many are under way, and as {@linkcode ownForm}. */
  readonly readForm: ReadForm;
}

/** @throws {GatewayError} `route_not_found` on other hosts than base hosts */
export function checkBase({ base }: Pick<ControlContext, "base">): void {
  if (base !== undefined) return;
  throw new GatewayError("route_not_found", "Not a page of this host");
}

/** Hono's environment type, in which `c.env` is our context. */
export interface ControlEnv {
  Bindings: ControlContext;
}

/** The context of a handler of the route `R`. */
export type RouteContext<R extends RouteConfig> = Parameters<
  RouteHandler<R, ControlEnv>
>[0];

/** The content of an error response in the OpenAPI description. */
export const PROBLEM = { "application/problem+json": { schema: z.unknown() } };

/** The content of a page. */
export const PAGE = { "text/html": { schema: z.string() } };

/** The content of JSON. */
export function json<Schema extends z.ZodType>(
  schema: Schema,
): { "application/json": { schema: Schema } } {
  return { "application/json": { schema } };
}

/** An error response in the OpenAPI description. */
export function refusal(
  description: string,
): { description: string; content: typeof PROBLEM } {
  return { description, content: PROBLEM };
}

/** The origin of the host that a request is for (RFC 6454 section 6.2). */
export function ownOrigin(
  { authority }: Pick<ControlContext, "authority">,
  scheme: "http" | "https",
): string {
  return `${scheme}://${authority.toLowerCase()}`;
}
