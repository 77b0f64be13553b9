import assert from "node:assert/strict";
import { explainListenError } from "../../../src/server/exit.ts";

Deno.test("explainListenError() names the variable to set", () => {
  const address = { hostname: "192.0.2.1", port: 443 };
  const table: [code: string | undefined, reason: string][] = [
    ["EADDRINUSE", "Port 443 is taken: set PROXY_PORT."],
    [
      "EADDRNOTAVAIL",
      "192.0.2.1 is not an address of this machine: set PROXY_HOST.",
    ],
    [
      "EACCES",
      "This user is not allowed to listen on port 443: set PROXY_PORT to a port above 1023.",
    ],
    [undefined, "Cannot listen on 192.0.2.1, port 443: name not known."],
  ];
  for (const [code, reason] of table) {
    const error = Object.assign(
      new Error("name not known"),
      code === undefined ? {} : { code },
    );
    assert.equal(explainListenError(error, address), reason);
  }
});
