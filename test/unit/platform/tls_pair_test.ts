import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:tls";
import { checkTlsPair } from "../../../src/platform/tls_pair.ts";
import { freshKey, LOCALHOST } from "../../support/certificates.ts";
import { stillNeeded } from "./canary.ts";

const NOT_PEM = { cert: "no certificate", key: "no key" };

Deno.test("checkTlsPair() accepts a chain and its key, and nothing else", async () => {
  const { cert, key } = LOCALHOST;
  checkTlsPair({ cert, key });
  const otherKey = await freshKey();
  assert.throws(() => checkTlsPair({ cert, key: otherKey }), /KeyMismatch/);
  assert.throws(() => checkTlsPair(NOT_PEM));
});

Deno.test("canary: a node:tls server listens with any text for a certificate", async () => {
  let isListening = false;
  try {
    const server = createServer(NOT_PEM).listen(0, "127.0.0.1");
    await once(server, "listening");
    isListening = true;
    const closed = once(server, "close");
    server.close();
    await closed;
  } catch {
    // As in Node.
  }
  stillNeeded(isListening, {
    mended: "the certificates of node:tls",
    remove: "src/platform/tls_pair.ts",
  });
});
