import assert from "node:assert/strict";
import type { CertificateResult } from "../../../../src/downstream/tls/certificate.ts";
import { createCertificateCheck } from "../../../../src/downstream/tls/certificate_watch.ts";
import { LOCALHOST, OTHER } from "../../../support/certificates.ts";
import { recordedLog } from "../../../support/event_log.ts";

function checkOf(load: () => CertificateResult | Promise<CertificateResult>) {
  const { log, events } = recordedLog();
  const used: unknown[] = [];
  const check = createCertificateCheck({
    current: LOCALHOST,
    load: async () => await load(),
    use: (certificate) => used.push(certificate),
    log,
  });
  return { check, used, events };
}

Deno.test("a certificate is replaced only by a different one", async () => {
  const held = [LOCALHOST, OTHER, OTHER, LOCALHOST].values();
  const { check, used, events } = checkOf(() => ({
    ok: true,
    certificate: held.next().value ?? OTHER,
  }));
  for (let count = 0; count < 4; count++) await check();
  assert.deepEqual(used, [OTHER, LOCALHOST]);
  assert.deepEqual(events(), ["certificate replaced", "certificate replaced"]);
});

Deno.test("a certificate stays in use while its successor cannot be used, and each reason is logged once", async () => {
  const results: CertificateResult[] = [
    { ok: false, reason: "no key" },
    { ok: false, reason: "no key" },
    { ok: false, reason: "wrong key" },
    { ok: true, certificate: LOCALHOST },
    { ok: false, reason: "wrong key" },
  ];
  const { check, used, events } = checkOf(() => {
    const result = results.shift();
    assert(result);
    return result;
  });
  for (let count = 0; count < 5; count++) await check();
  assert.deepEqual(used, []);
  assert.equal(events().length, 3);
  assert.match(events()[0] ?? "", /refused/);
});

Deno.test("a check that is requested during another shares its run", async () => {
  const { promise, resolve } = Promise.withResolvers<CertificateResult>();
  let loads = 0;
  const { check, used } = checkOf(() => {
    loads++;
    return promise;
  });
  const both = Promise.all([check(), check()]);
  resolve({ ok: true, certificate: OTHER });
  await both;
  assert.equal(loads, 1);
  assert.deepEqual(used, [OTHER]);
});
