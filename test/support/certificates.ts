/** Certificates for tests, all signed by the same authority, and files in which they can be renewed. */
import type { TlsFiles } from "../../src/config/config.ts";
import type { Certificate } from "../../src/downstream/tls/certificate.ts";

function pem(name: string): string {
  return Deno.readTextFileSync(new URL(`./tls/${name}.pem`, import.meta.url));
}

const key = pem("key");
const expiresAt = new Date("2126-10-31T15:15:46Z");

/** The authority that clients have to trust. */
export const CA = pem("ca");

/** For `localhost` and 127.0.0.1. */
export const LOCALHOST: Certificate = { cert: pem("cert"), key, expiresAt };

/** For `other.test`. */
export const OTHER: Certificate = {
  cert: pem("other_host_cert"),
  key,
  expiresAt,
};

/** Generates a private key that belongs to none of the certificates, PEM. */
export async function freshKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign"],
  );
  const der = await crypto.subtle.exportKey("pkcs8", privateKey);
  const base64 = new Uint8Array(der).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

/** A certificate file and a key file in a temporary directory; disposing of it removes them. */
export interface CertificateFiles extends TlsFiles, AsyncDisposable {
  write(pair: Pick<Certificate, "cert" | "key">): Promise<void>;
}

/** Writes the two files under `data/test`, where tests may write and the gateway may read. */
export async function certificateFiles(
  pair: Pick<Certificate, "cert" | "key">,
): Promise<CertificateFiles> {
  await Deno.mkdir("data/test", { recursive: true });
  const directory = await Deno.makeTempDir({ dir: "data/test" });
  const files = {
    certFile: `${directory}/tls.crt`,
    keyFile: `${directory}/tls.key`,
    async write({ cert, key }: Pick<Certificate, "cert" | "key">) {
      await Deno.writeTextFile(files.certFile, cert);
      await Deno.writeTextFile(files.keyFile, key);
    },
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
  await files.write(pair);
  return files;
}
