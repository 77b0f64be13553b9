/** Where clients find the gateway. */
import type { Config } from "../../src/config.ts";
import {
  proxyDomainOf,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";

/** One base domain, as clients see it. */
export interface PublicBase {
  readonly protocol: "http" | "https";
  /** Lower case, without port. */
  readonly domain: string;
  readonly port: number;
}

/** The port of a scheme. */
export function defaultPort(protocol: "http" | "https"): number {
  return protocol === "https" ? 443 : 80;
}

/** The base domains: the configured ones, or the one that the API names; none where that is not known. */
export function publicBases(
  { protocol, domains }: Config["public"],
  remote: RemoteConfig | undefined,
): PublicBase[] {
  if (domains.length > 0) {
    return domains.map(({ name, port = defaultPort(protocol) }) => ({
      protocol,
      domain: name,
      port,
    }));
  }
  const named = proxyDomainOf(remote?.proxyTemplateUrl ?? "");
  if (named === null) return [];
  const port = named.port ?? defaultPort(named.protocol);
  return [{ protocol, domain: named.domain, port }];
}

/** The base's origin; the port only where it is not the scheme's own. */
export function originOf({ protocol, domain, port }: PublicBase): string {
  return new URL(`${protocol}://${domain}:${port}`).origin;
}

/** Whether browsers find names below the domain on this machine by themselves (RFC 6761 section 6.3). */
export function isLocalhost(domain: string): boolean {
  return /(?:^|\.)localhost$/.test(domain);
}

/** A label below the base that no sandbox has, of the form that a preview's has. */
export function randomHost({ domain }: PublicBase): string {
  return `3000-doctor-${crypto.randomUUID().slice(0, 8)}.${domain}`;
}
