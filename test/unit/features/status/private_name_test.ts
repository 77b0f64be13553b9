import assert from "node:assert/strict";
import { isPrivateName } from "../../../../src/features/status/status_feature.ts";

Deno.test("a name that somebody on the internet can point at us is told from addresses and private names", () => {
  for (
    const name of [
      ..."127.0.0.1 10.1.2.3 [::1] [fd00::7] localhost gateway-1".split(" "),
      ..."a.localhost porthole.monitoring.svc nas.local box.lan".split(" "),
      "10-0-0-7.porthole.svc.cluster.local",
      "vm.c.project.internal",
      "host.home.arpa",
    ]
  ) assert(isPrivateName(name), name);
  for (
    const name of [
      ..."example.com rebound.example.com localhost.example.com".split(" "),
      ..."127.0.0.1.nip.io 1.2.3.4.example local.dev svc.example".split(" "),
    ]
  ) assert(!isPrivateName(name), name);
});
