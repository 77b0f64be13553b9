import assert from "node:assert/strict";
import { loadCertificate } from "../../../../src/downstream/tls/certificate.ts";
import {
  certificateFiles,
  freshKey,
  LOCALHOST,
} from "../../../support/certificates.ts";

const { cert, key } = LOCALHOST;

Deno.test("loadCertificate() reads certificate, key and expiry", async () => {
  await using files = await certificateFiles(LOCALHOST);
  assert.deepEqual(await loadCertificate(files), {
    ok: true,
    certificate: LOCALHOST,
  });
});

Deno.test("loadCertificate() says which file cannot be used, and why", async () => {
  const table: [pair: { cert: string; key: string }, reason: RegExp][] = [
    [{ cert: "", key }, /^TLS_CERT_FILE: contains no PEM certificate$/],
    [{ cert: key, key }, /^TLS_CERT_FILE: contains no PEM certificate$/],
    [{ cert, key: cert }, /^TLS_KEY_FILE: contains no PEM private key$/],
    [
      { cert, key: key.replaceAll(" PRIVATE", " ENCRYPTED PRIVATE") },
      /^TLS_KEY_FILE: the key is encrypted/,
    ],
    [
      { cert, key: await freshKey() },
      /^TLS_KEY_FILE: does not match the certificate/,
    ],
    [
      { cert: cert.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), key },
      /^TLS_CERT_FILE, TLS_KEY_FILE: cannot be used: ./,
    ],
    [
      { cert, key: key.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA") },
      /^TLS_CERT_FILE, TLS_KEY_FILE: cannot be used: ./,
    ],
  ];
  for (const [pair, reason] of table) {
    await using files = await certificateFiles(pair);
    const result = await loadCertificate(files);
    assert(!result.ok);
    assert.match(result.reason, reason);
    assert.doesNotMatch(result.reason, /\n/);
  }
});

Deno.test("loadCertificate() names a file that is missing", async () => {
  await using files = await certificateFiles(LOCALHOST);
  await Deno.remove(files.keyFile);
  const result = await loadCertificate(files);
  assert.deepEqual(result, {
    ok: false,
    reason: `TLS_KEY_FILE: ${files.keyFile} does not exist`,
  });
});

Deno.test({
  name: "loadCertificate() says which permission a file needs",
  permissions: { read: ["./data"] },
  async fn() {
    const result = await loadCertificate({
      certFile: "/etc/tls/tls.crt",
      keyFile: "/etc/tls/tls.key",
    });
    assert.deepEqual(result, {
      ok: false,
      reason: "TLS_CERT_FILE: Deno is not allowed to read /etc/tls/tls.crt: " +
        "start it with deno run -P=start --allow-read=./data,/etc/tls src/main.ts (deno task start passes no options on)",
    });
  },
});
