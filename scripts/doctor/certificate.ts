import { type Finding, type Findings, findingsOf } from "./finding.ts";
import { handshake, type HandshakeResult } from "./handshake.ts";
import { type PublicBase, randomHost } from "./public_base.ts";
import type { World } from "./world.ts";

const findings = findingsOf("certificate");
const { ok, failed, skipped } = findings;

/** A certificate that expires sooner than this should have been renewed, ms. */
const RENEWAL_MS = 14 * 24 * 60 * 60 * 1000;

/** Checks the certificate that clients see for a preview's host and for the base domain. */
export async function checkCertificate(
  base: PublicBase,
  address: string | undefined,
  world: World,
): Promise<Finding> {
  const { protocol, domain, port } = base;
  if (protocol === "http") {
    return skipped("PROXY_PROTOCOL is http, so there is no certificate.");
  }
  if (address === undefined) {
    return skipped(`${domain} has no address to connect to.`);
  }
  const [below, own] = await Promise.all(
    [randomHost(base), domain].map((servername) =>
      handshake({ address, port, servername }, world)
    ),
  );
  return below === undefined || own === undefined
    ? skipped("There was no handshake.")
    : judgeCertificate(base, [below, own], world.now());
}

/** Judges the handshakes for a preview's host and for the base domain. */
export function judgeCertificate(
  { domain, port }: PublicBase,
  [below, own]: readonly [HandshakeResult, HandshakeResult],
  now: number,
): Finding {
  for (
    const [name, result] of [[`*.${domain}`, below], [domain, own]] as const
  ) {
    if ("reason" in result) {
      const text = `Cannot reach ${name} on port ${port}: ${result.reason}.`;
      return result.isRefused
        ? skipped(text, "Start whatever terminates TLS there, and try again.")
        : failed(
          text,
          "Check whatever terminates TLS there, and the port in PROXY_DOMAIN.",
        );
    }
    if (result.objection !== undefined) {
      return failed(
        `The certificate for ${name} is not accepted: ${result.objection}.`,
        `Get one for ${domain} and *.${domain}: wildcard certificates require a DNS challenge.`,
      );
    }
    const expiry = judgeExpiry(findings, `The certificate for ${name}`, {
      validTo: result.validTo,
      now,
    });
    if (expiry !== undefined) return expiry;
  }
  return ok(`It is valid for ${domain} and *.${domain}.`);
}

/** A finding about a certificate that has expired or expires soon, if it does; times in ms since the epoch. */
export function judgeExpiry(
  { failed, warning }: Findings,
  subject: string,
  { validTo, now }: { readonly validTo: number; readonly now: number },
): Finding | undefined {
  const date = new Date(validTo).toISOString().slice(0, 10);
  const hint = "Renew it, and find out why it was not renewed automatically.";
  if (validTo <= now) return failed(`${subject} expired on ${date}.`, hint);
  if (validTo - now < RENEWAL_MS) {
    return warning(`${subject} expires on ${date}.`, hint);
  }
  return undefined;
}
