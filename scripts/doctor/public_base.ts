/** Where clients reach the gateway. */
import type { Config } from "../../src/config/config.ts";
import {
  proxyDomainOf,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";

/** A base domain as clients see it. */
export interface PublicBase {
  readonly protocol: "http" | "https";
  /** Lower case, without port. */
  readonly domain: string;
  readonly port: number;
}

/** The default port of a scheme. */
export function defaultPort(protocol: "http" | "https"): number {
  return protocol === "https" ? 443 : 80;
}

/** The configured base domains, or else the one that the API names; empty if it is unknown. */
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

/** The origin of a base domain, with the port only if it is not the scheme's default. */
export function originOf({ protocol, domain, port }: PublicBase): string {
  return new URL(`${protocol}://${domain}:${port}`).origin;
}

/** True if browsers resolve names below the domain to this machine by themselves (RFC 6761 section 6.3). */
export function isLocalhost(domain: string): boolean {
  return /(?:^|\.)localhost$/.test(domain);
}

/** A host below the base that looks like a preview's, but belongs to no sandbox. */
export function randomHost({ domain }: PublicBase): string {
  return `3000-doctor-${crypto.randomUUID().slice(0, 8)}.${domain}`;
}
