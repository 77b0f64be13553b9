/** The preview that is examined. */
import type { Config } from "../../../src/config/config.ts";
import { isLocalhost, originOf, type PublicBase } from "../public_base.ts";
import type { Address } from "./visit.ts";

/** What the command line asks for. */
export interface PreviewRequest {
  readonly sandboxId: string;
  readonly port: number;
  /** The path of the app to ask for, with its query. */
  readonly path: string;
  /** The sandbox's preview token; undefined if none was given. */
  readonly token: string | undefined;
}

/** A preview below a base domain, and the configuration of its gateway. */
export interface Subject extends PreviewRequest {
  readonly config: Config;
  readonly base: PublicBase;
}

/** Whoever looks at a preview by these does not keep its sandbox running, and is not shown a warning. */
export const QUIET = {
  "x-daytona-skip-last-activity-update": "true",
  "x-daytona-skip-preview-warning": "true",
} as const;

/** The name of the preview's host. */
export function hostnameOf({ port, sandboxId, base }: Subject): string {
  return `${port}-${sandboxId}.${base.domain}`.toLowerCase();
}

/** The Host header of a name below the base, or of the base itself. */
export function hostHeader(name: string, base: PublicBase): string {
  return new URL(originOf({ ...base, domain: name })).host;
}

/** The preview's URL. */
export function urlOf(subject: Subject): string {
  const { base, path } = subject;
  return originOf({ ...base, domain: hostnameOf(subject) }) + path;
}

/** The headers of a request for the preview. */
export function requestHeaders(
  { token }: Pick<PreviewRequest, "token">,
): Record<string, string> {
  return token === undefined
    ? { ...QUIET }
    : { ...QUIET, "x-daytona-preview-token": token };
}

/** Where the server of a base URL is to be reached. */
export function addressOf(url: string): Address {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "https:";
  return {
    hostname: isLocalhost(hostname)
      ? "127.0.0.1"
      : hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || (isTls ? 443 : 80)),
    servername: isTls ? hostname : undefined,
  };
}
