// deno-lint-ignore-file no-console
/**
 * A hosted Daytona's proxy that answers 1 KiB at once, by TLS; so that the proxy in front of it is measured. Its argument
 * says for which names its certificate is: `hosted` for the stand-in's, `localhost` for what can only connect to that.
 */
import { createServer } from "node:https";
import { HOSTED_CERTIFICATE } from "../../../../scripts/stand_in/hosted_certificate.ts";
import { LOCALHOST } from "../../../support/certificates.ts";

const KIB = new Uint8Array(1024).fill(0x61);
const HEADERS = { "content-type": "text/plain", "content-length": "1024" };
const { cert, key } = Deno.args[0] === "localhost"
  ? LOCALHOST
  : HOSTED_CERTIFICATE;

// Not `Deno.serve()`, which lets a client that sends one request at a time wait for 40 ms (Nagle's algorithm).
const options = { cert, key, noDelay: true, keepAliveTimeout: 70_000 };
const server = createServer(options, (_request, response) => {
  response.writeHead(200, HEADERS).end(KIB);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") return;
  console.log(JSON.stringify({ port: address.port }));
});
