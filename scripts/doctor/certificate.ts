import { once } from "node:events";
import { connect } from "node:tls";
import { type Failure, failureOf } from "./ask.ts";
import { type Finding, type Findings, findingsOf } from "./finding.ts";
import { type PublicBase, randomHost } from "./public_base.ts";
import { abortable, type World } from "./world.ts";

const findings = findingsOf("certificate");
const { ok, skipped } = findings;

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
  [below, own]: readonly [Handshake | Failure, Handshake | Failure],
  now: number,
): Finding {
  const hints = {
    unreached:
      "Check whatever terminates TLS there, and the port in PROXY_DOMAIN.",
    refused:
      `Get one for ${domain} and *.${domain}: wildcard certificates require a DNS challenge.`,
  };
  for (
    const [name, result] of [[`*.${domain}`, below], [domain, own]] as const
  ) {
    const trouble = troubleWith(findings, { name, port, result, now }, hints);
    if (trouble !== undefined) return trouble;
  }
  return ok(`It is valid for ${domain} and *.${domain}.`);
}

/** What is wrong with the certificate for a name, by a handshake at `now`, ms since the epoch; undefined if nothing is. */
export function troubleWith(
  findings: Findings,
  { name, port, result, now }: {
    readonly name: string;
    readonly port: number;
    readonly result: Handshake | Failure;
    readonly now: number;
  },
  hints: {
    /** Where there is no handshake. */
    readonly unreached: string;
    /** Where clients do not accept the certificate. */
    readonly refused: string;
  },
): Finding | undefined {
  if (!result.answered) {
    const text = `Cannot reach ${name} on port ${port}: ${result.reason}.`;
    return result.kind === "refused"
      ? findings.skipped(
        text,
        "Start whatever terminates TLS there, and try again.",
      )
      : findings.failed(text, hints.unreached);
  }
  const { objection, validTo } = result;
  return objection !== undefined
    ? findings.failed(
      `The certificate for ${name} is not accepted: ${objection}.`,
      hints.refused,
    )
    : judgeExpiry(findings, `The certificate for ${name}`, { validTo, now });
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

/** The certificate that a TLS server presents. */
export interface Handshake {
  readonly answered: true;
  /** Why a client would not accept the certificate for the name; undefined if it would. */
  readonly objection: string | undefined;
  /** When the certificate expires, ms since the epoch. */
  readonly validTo: number;
}

/** Connects, asking for a name (SNI, RFC 6066 section 3), and returns the certificate, valid for it or not. */
export async function handshake(
  { address, port, servername }: {
    readonly address: string;
    readonly port: number;
    readonly servername: string;
  },
  { deadline, caCerts }: World,
): Promise<Handshake | Failure> {
  const socket = connect({
    host: address,
    port,
    servername,
    // The check is about just that: whether the certificate is accepted.
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...caCerts === undefined ? {} : { ca: [...caCerts] },
  });
  try {
    await abortable(once(socket, "secureConnect"), deadline());
    const { valid_to } = socket.getPeerCertificate();
    return {
      answered: true,
      objection: socket.authorized
        ? undefined
        : objectionOf(String(socket.authorizationError), servername),
      validTo: Date.parse(valid_to),
    };
  } catch (error) {
    return failureOf(error);
  } finally {
    socket.destroy();
  }
}

/** Describes an error code of OpenSSL or Node. */
function objectionOf(code: string, servername: string): string {
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `it is not for ${servername}`;
    case "CERT_HAS_EXPIRED":
      return "it has expired";
    case "CERT_NOT_YET_VALID":
      return "it is not valid yet";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "it is self-signed";
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "it is not signed by an authority that this machine trusts, or the chain is incomplete";
    default:
      return code;
  }
}
