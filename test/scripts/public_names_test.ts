import assert from "node:assert/strict";
import { publicNames } from "../../scripts/public_names.ts";

Deno.test("publicNames() finds a name of each kind in the gateway's sources", async () => {
  const names = new Set(await publicNames("src"));
  for (
    const name of [
      "cookie __Host-porthole-",
      "error port_closed",
      "header x-porthole-error",
      "member sandboxId",
      "message response broke off",
      "message request failed",
      "metric porthole_http_requests_total",
      "variable PROXY_DOMAIN",
    ]
  ) assert(names.has(name), name);
});
