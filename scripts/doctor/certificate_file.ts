import { createPrivateKey, X509Certificate } from "node:crypto";
import { checkServerIdentity } from "node:tls";
import type { TlsFiles } from "../../src/config.ts";
import { judgeExpiry } from "./certificate.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { type PublicBase, randomHost } from "./public_base.ts";
import type { World } from "./world.ts";

const findings = findingsOf("certificate file");
const { ok, failed } = findings;

/** Reads the certificate and key that the listener would use. */
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
        `${path} cannot be read: ${kind}.`,
        `${
          name === "certFile" ? "TLS_CERT_FILE" : "TLS_KEY_FILE"
        } must name a file that this user, and this process, may read.`,
      )];
    }
  }
  const [certificate = "", key = ""] = texts;
  return judgeCertificateFile({ certificate, key }, bases, world.now());
}

/** What the texts of both files (PEM) mean for the base domains. */
export function judgeCertificateFile(
  pem: { readonly certificate: string; readonly key: string },
  bases: readonly PublicBase[],
  now: number,
): Finding[] {
  let certificate: X509Certificate;
  let isOurs: boolean;
  try {
    certificate = new X509Certificate(pem.certificate);
    isOurs = certificate.checkPrivateKey(createPrivateKey(pem.key));
  } catch {
    // The error of a parser may quote what it could not parse, which may be a key.
    return [failed(
      "TLS_CERT_FILE and TLS_KEY_FILE are not a certificate and a private key, as PEM.",
      "The certificate's own block comes first in its file, then those of the authorities.",
    )];
  }
  if (!isOurs) {
    return [failed(
      "The private key in TLS_KEY_FILE is not the certificate's.",
      "Take both from the same place, and the server's certificate as the first in its file.",
    )];
  }
  const validTo = Date.parse(certificate.validTo);
  const subject = "The certificate in TLS_CERT_FILE";
  const expiry = judgeExpiry(findings, subject, { validTo, now });
  if (expiry !== undefined) return [expiry];
  // Not checkHost(), which knows no wildcards in Deno 2.9.
  const shown = certificate.toLegacyObject();
  const missing = bases.flatMap((base) => [
    ...checkServerIdentity(base.domain, shown) ? [base.domain] : [],
    ...checkServerIdentity(randomHost(base), shown) ? [`*.${base.domain}`] : [],
  ]);
  return missing.length > 0
    ? [failed(
      `The certificate in TLS_CERT_FILE is not for ${missing.join(" and ")}.`,
      "Get one for the base domain and for the wildcard below it.",
    )]
    : [
      ok("Certificate and key belong together, and are for all base domains."),
    ];
}
