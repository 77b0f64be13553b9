import { connect } from "node:tls";
import { failureOf } from "./ask.ts";
import type { World } from "./world.ts";

/** The certificate that a TLS server presents. */
export interface Handshake {
  /** Why a client would not accept the certificate for the name; undefined if it would. */
  readonly objection: string | undefined;
  /** When the certificate expires, ms since the epoch. */
  readonly validTo: number;
}

/** A handshake, or why there is none: `reason` completes "Cannot reach it: ". */
export type HandshakeResult =
  | Handshake
  | { readonly isRefused: boolean; readonly reason: string };

/** Where to connect, and for which name. */
export interface HandshakeTarget {
  readonly address: string;
  readonly port: number;
  /** The name to ask for and to check (SNI, RFC 6066 section 3). */
  readonly servername: string;
}

/** Connects and returns the certificate, valid or not. */
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
    // Whether the certificate is accepted is what we want to find out.
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
    const { kind, reason } = failureOf(error);
    resolve({ isRefused: kind === "refused", reason });
    socket.destroy();
  });
  const overdue = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", overdue);
  return promise.finally(() => signal.removeEventListener("abort", overdue));
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
