/** Whether whoever terminates TLS in front may get a certificate for a host (Caddy's `on_demand_tls`). */

const NOT_STORED = { "cache-control": "no-store" };

/**
 * The page that answers `?domain=` with 200 for names in force and base domains, 403 for all else, 400 without one: from
 * memory alone, since while it fails no new host gets through TLS. Preview hosts are 403: the wildcard's certificate is
 * for them, and whoever makes some up must not use up the authority's quota.
 */
export function tlsAsk(
  names: { isServed(host: string): boolean },
  baseDomains: () => readonly string[],
): (request: Request) => Response {
  function statusOf(host: string): number {
    return names.isServed(host) || baseDomains().includes(host) ? 200 : 403;
  }
  return function answer({ url }) {
    const domain = new URL(url).searchParams.get("domain");
    // A client may write it in any case (RFC 6066 section 3).
    const status = domain ? statusOf(domain.toLowerCase()) : 400;
    return new Response(null, { status, headers: NOT_STORED });
  };
}
