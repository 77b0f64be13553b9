/** Loads the listener's certificate from its two files, or says why it cannot be used, so that an operator can act on it. */
import { X509Certificate } from "node:crypto";
import type { TlsFiles } from "../../config/config.ts";
import { describeError } from "../../lib/describe_error.ts";
import { whyUnreadable } from "../../platform/permission_hint.ts";
import { checkTlsPair } from "../../platform/tls_pair.ts";

export interface Certificate extends Deno.TlsCertifiedKeyPem {
  readonly expiresAt: Date;
}

/** Result of {@linkcode loadCertificate}; the reason is one line and names the environment variable. */
export type CertificateResult =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly reason: string };

/** Reads both files, and checks that the key belongs to the certificate and that TLS can use them. */
export async function loadCertificate(
  files: TlsFiles,
): Promise<CertificateResult> {
  const [cert, key] = await Promise.all([
    readPem("TLS_CERT_FILE", files.certFile),
    readPem("TLS_KEY_FILE", files.keyFile),
  ]);
  if (!cert.ok) return cert;
  if (!key.ok) return key;
  const pair = { cert: cert.pem, key: key.pem };
  const reason = whyUnusable(pair);
  if (reason !== undefined) return { ok: false, reason };
  const expiresAt = new Date(new X509Certificate(pair.cert).validTo);
  return { ok: true, certificate: { ...pair, expiresAt } };
}

type ReadResult =
  | { readonly ok: true; readonly pem: string }
  | { readonly ok: false; readonly reason: string };

async function readPem(name: string, path: string): Promise<ReadResult> {
  try {
    return { ok: true, pem: await Deno.readTextFile(path) };
  } catch (error) {
    return { ok: false, reason: `${name}: ${whyUnreadable(path, error)}` };
  }
}

/** Why a chain and a key cannot be used; undefined if they can. */
function whyUnusable(pair: { cert: string; key: string }): string | undefined {
  if (!pair.cert.includes("-----BEGIN CERTIFICATE-----")) {
    return "TLS_CERT_FILE: contains no PEM certificate";
  }
  if (pair.key.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
    return "TLS_KEY_FILE: the key is encrypted; it must not have a passphrase";
  }
  if (!/-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/.test(pair.key)) {
    return "TLS_KEY_FILE: contains no PEM private key";
  }
  try {
    checkTlsPair(pair);
    return undefined;
  } catch (error) {
    const message = describeError(error);
    return message.includes("KeyMismatch")
      ? "TLS_KEY_FILE: does not match the certificate in TLS_CERT_FILE"
      : `TLS_CERT_FILE, TLS_KEY_FILE: cannot be used: ${message}`;
  }
}
