import { type Finding, type Findings, findingsOf } from "./finding.ts";
import { handshake, type HandshakeResult } from "./handshake.ts";
import { type PublicBase, randomHost } from "./public_base.ts";
import type { World } from "./world.ts";

const findings = findingsOf("certificate");
const { ok, failed, skipped } = findings;

/** A certificate that ends sooner than this should have been renewed, ms. */
const RENEWAL_MS = 14 * 24 * 60 * 60 * 1000;

/** Looks at the certificate that clients are shown, for a preview's name and for the base domain. */
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
    return skipped(`Without an address of ${domain} there is nobody to ask.`);
  }
  const [below, own] = await Promise.all(
    [randomHost(base), domain].map((servername) =>
      handshake({ address, port, servername }, world)
    ),
  );
  return below === undefined || own === undefined
    ? skipped("Nothing was asked.")
    : judgeCertificate(base, [below, own], world.now());
}

/** What the handshakes for a preview's name and for the base domain mean. */
export function judgeCertificate(
  { domain, port }: PublicBase,
  [below, own]: readonly [HandshakeResult, HandshakeResult],
  now: number,
): Finding {
  for (
    const [name, result] of [[`*.${domain}`, below], [domain, own]] as const
  ) {
    if ("reason" in result) {
      const text = `${name} is not reached on port ${port}: ${result.reason}.`;
      return result.isRefused
        ? skipped(text, "Start what ends TLS there, and ask again.")
        : failed(
          text,
          "Check what ends TLS there, and the port in PROXY_DOMAIN.",
        );
    }
    if (result.objection !== undefined) {
      return failed(
        `The certificate shown for ${name} is not accepted: ${result.objection}.`,
        `Get one for ${domain} and *.${domain}: a wildcard is issued for a DNS challenge.`,
      );
    }
    const expiry = judgeExpiry(findings, `The certificate for ${name}`, {
      validTo: result.validTo,
      now,
    });
    if (expiry !== undefined) return expiry;
  }
  return ok(`It is good for ${domain} and *.${domain}.`);
}

/** A finding about what has ended or ends soon, else none; times in ms since the epoch. */
export function judgeExpiry(
  { failed, warning }: Findings,
  subject: string,
  { validTo, now }: { readonly validTo: number; readonly now: number },
): Finding | undefined {
  const date = new Date(validTo).toISOString().slice(0, 10);
  const hint = "Renew it, and see why that did not happen by itself.";
  if (validTo <= now) return failed(`${subject} has ended on ${date}.`, hint);
  if (validTo - now < RENEWAL_MS) {
    return warning(`${subject} ends on ${date}.`, hint);
  }
  return undefined;
}
