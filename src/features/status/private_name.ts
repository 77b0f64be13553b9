/** Which names nobody on the internet can point at us. */

const IP_ADDRESS = /^(?:[0-9.]+|\[[0-9a-f:.]+\])$/;

/** Ends of names that the public DNS does not serve (RFC 6761, RFC 6762, RFC 8375, ICANN), or that Kubernetes makes up. */
const PRIVATE = /\.(?:localhost|local|internal|home\.arpa|svc|lan)$/;

/**
 * True for an IP address, a name without a dot, and one such as `porthole.monitoring.svc`. A page whose server has pointed
 * its own name at this machine (DNS rebinding) comes by that name.
 */
export function isPrivateName(hostname: string): boolean {
  return IP_ADDRESS.test(hostname) || !hostname.includes(".") ||
    PRIVATE.test(hostname);
}
