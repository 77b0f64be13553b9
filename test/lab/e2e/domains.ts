/** Base domains of gateways besides `proxy.localhost`: names of the internet, which lead to this machine. */

/** On the Public Suffix List: browsers take no cookie for it, and each host below it for a site of its own. */
export const PUBLIC_SUFFIX = "co.uk";

/**
 * One as most gateways have: its hosts are one site. WebKitGTK does not take those below `localhost` for one, since no
 * list names that, and keeps no cookies in their frames.
 */
export const ORDINARY_DOMAIN = `porthole.${PUBLIC_SUFFIX}`;

/** True for both, and for the hosts below them. */
export function isOurs(host: string): boolean {
  return `.${host}`.endsWith(`.${PUBLIC_SUFFIX}`);
}
