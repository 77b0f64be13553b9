import assert from "node:assert/strict";
import { domainAbove } from "../../../src/address/preview_host.ts";

const HOST = {
  port: 3000,
  label: "box",
  base: "p.test",
  authoritySuffix: "p.test:8443",
};

Deno.test("domainAbove() is the base domain of a preview host, and at a name what the name is directly below", () => {
  assert.equal(domainAbove(HOST), "p.test");
  for (
    const [name, above] of [
      ["shop.p.test:8443", "p.test"],
      ["shop.names.example", "names.example"],
      ["www.shop.example.com:8443", "shop.example.com"],
    ] as const
  ) assert.equal(domainAbove({ ...HOST, name }), above);
});
