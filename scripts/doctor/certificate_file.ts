import { createPrivateKey, X509Certificate } from "node:crypto";
import { checkServerIdentity } from "node:tls";
import type { TlsFiles } from "../../src/config/config.ts";
import { judgeExpiry } from "./certificate.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { type PublicBase, randomHost } from "./public_base.ts";
import type { World } from "./world.ts";

const findings = findingsOf("certificate file");
const { ok, failed } = findings;

/** Checks the certificate and key that the listener would use. */
export async function checkCertificateFile(
  { certFile, keyFile }: TlsFiles,
  bases: readonly PublicBase[],
  world: World,
): Promise<Finding[]> {
  const texts: string[] = [];
  for (const [name, path] of Object.entries({ certFile, keyFile })) {
    try {
      texts.push(await world.readFile(path));
    } catch (error) {
      const kind = error instanceof Error ? error.name : String(error);
      return [failed(
        `Cannot read ${path}: ${kind}.`,
        `${
          name === "certFile" ? "TLS_CERT_FILE" : "TLS_KEY_FILE"
        } must name a file that this user and this process may read.`,
      )];
    }
  }
  const [certificate = "", key = ""] = texts;
  return judgeCertificateFile({ certificate, key }, bases, world.now());
}

/** Judges the contents of both files (PEM) for the base domains. */
export function judgeCertificateFile(
  pem: { readonly certificate: string; readonly key: string },
  bases: readonly PublicBase[],
  now: number,
): Finding[] {
  let certificate: X509Certificate;
  let isMatch: boolean;
  try {
    certificate = new X509Certificate(pem.certificate);
    isMatch = certificate.checkPrivateKey(createPrivateKey(pem.key));
  } catch {
    // A parser's error may quote what it could not parse, which may be the key.
    return [failed(
      "TLS_CERT_FILE and TLS_KEY_FILE are not a certificate and a private key in PEM.",
      "The server's certificate comes first in its file, then those of the authorities.",
    )];
  }
  if (!isMatch) {
    return [failed(
      "The private key in TLS_KEY_FILE does not belong to the certificate.",
      "Take both from the same place, with the server's certificate first in its file.",
    )];
  }
  const validTo = Date.parse(certificate.validTo);
  const subject = "The certificate in TLS_CERT_FILE";
  const expiry = judgeExpiry(findings, subject, { validTo, now });
  if (expiry !== undefined) return [expiry];
  // Not checkHost(), which does not support wildcards in Deno 2.9.
  const shown = certificate.toLegacyObject();
  const missing = bases.flatMap((base) => [
    ...checkServerIdentity(base.domain, shown) ? [base.domain] : [],
    ...checkServerIdentity(randomHost(base), shown) ? [`*.${base.domain}`] : [],
  ]);
  return missing.length > 0
    ? [failed(
      `The certificate in TLS_CERT_FILE is not valid for ${
        missing.join(" and ")
      }.`,
      "Get one for the base domain and its wildcard.",
    )]
    : [
      ok("Certificate and key match, and are valid for all base domains."),
    ];
}
