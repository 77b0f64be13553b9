import { connect } from "node:tls";
import { silenceOf } from "./ask.ts";
import type { World } from "./world.ts";

/** What a TLS server shows of itself. */
export interface Handshake {
  /** Why a client would not accept the certificate for the name; undefined where it would. */
  readonly objection: string | undefined;
  /** When the certificate ends, ms since the epoch. */
  readonly validTo: number;
}

/** A handshake, or why there is none: goes on from "not reached: ". */
export type HandshakeResult =
  | Handshake
  | { readonly isRefused: boolean; readonly reason: string };

/** Where to connect, and as which name. */
export interface HandshakeTarget {
  readonly address: string;
  readonly port: number;
  /** The name to ask for and to check (SNI, RFC 6066 section 3). */
  readonly servername: string;
}

/** Connects and looks at the certificate, whether it is good or not. */
export function handshake(
  { address, port, servername }: HandshakeTarget,
  { deadline, caCerts }: World,
): Promise<HandshakeResult> {
  const { promise, resolve } = Promise.withResolvers<HandshakeResult>();
  const signal = deadline();
  const socket = connect({
    host: address,
    port,
    servername,
    // A certificate that is not accepted is what we came to look at.
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...caCerts === undefined ? {} : { ca: [...caCerts] },
  }, () => {
    const { valid_to } = socket.getPeerCertificate();
    resolve({
      objection: socket.authorized
        ? undefined
        : objectionOf(String(socket.authorizationError), servername),
      validTo: Date.parse(valid_to),
    });
    socket.destroy();
  });
  socket.on("error", (error) => {
    const { obstacle, reason } = silenceOf(error);
    resolve({ isRefused: obstacle === "refused", reason });
    socket.destroy();
  });
  const overdue = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", overdue);
  return promise.finally(() => signal.removeEventListener("abort", overdue));
}

/** OpenSSL's codes, in words. */
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
      return "no authority that is trusted here has signed it, or the chain is incomplete";
    default:
      return code;
  }
}
