/** Who sends a request to `/api/v1`, as far as the request itself tells: a program with a bearer, or a page of ours. */
import { bearerOf } from "../../auth/credentials.ts";
import type { GrantAccess } from "../../auth/grant_access.ts";
import { GatewayError } from "../../errors.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { checkBase, type ControlContext, ownOrigin } from "../route.ts";

/** A request, as far as it tells its caller. */
export interface CalledRequest {
  readonly req: { readonly raw: Request };
  readonly env: Pick<ControlContext, "base" | "authority" | "clientAddress">;
}

/** A request, as a handler of any route has it. */
export interface ApiRequest extends CalledRequest {
  readonly env: ControlContext;
}

/** What it can show that it is sent by a member of a sandbox. */
export interface Caller {
  readonly method: string;
  readonly bearer: string | undefined;
  /** The Cookie header that counts: none beside a bearer. */
  readonly cookie: string;
  readonly clientAddress: string;
  readonly isSentByPage: boolean;
}

/**
 * The caller. A browser attaches cookies to whatever pages send, and apps are same-site to the base host: so they count
 * only for pages of exactly that host, which for reads Sec-Fetch-Site alone tells, and for writes Origin. A bearer that is
 * a grant's is nobody's.
 * @throws {GatewayError} `route_not_found` on other hosts, `origin_refused` for another page's request, `login_required`
 * for one that nothing comes with
 */
export function callerOf(
  { req: { raw: { headers, method } }, env }: CalledRequest,
  { scheme, grants }: {
    readonly scheme: "http" | "https";
    readonly grants: Pick<GrantAccess, "recognizes">;
  },
): Caller {
  checkBase(env);
  const { clientAddress } = env;
  const client = { method, clientAddress, isSentByPage: isSentByPage(headers) };
  const bearer = bearerOf(headers);
  if (bearer !== undefined && grants.recognizes(bearer)) {
    throw new GatewayError("login_required", "A grant is no member");
  }
  // Without CORS, a browser sends those of our own pages only.
  if (bearer !== undefined) return { ...client, bearer, cookie: "" };
  const cookie = headers.get("cookie") ?? "";
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (cookie === "" && site === null && origin === null) {
    throw new GatewayError("login_required", "Neither bearer nor login");
  }
  const isOwn = method === "GET" || method === "HEAD"
    ? site === "same-origin"
    : origin === ownOrigin(env, scheme) &&
      (site ?? "same-origin") === "same-origin";
  if (isOwn) return { ...client, bearer, cookie };
  throw new GatewayError("origin_refused", "Not sent by a page of this host");
}
