import assert from "node:assert/strict";
import { clientKey } from "../../../src/lib/client_key.ts";

Deno.test("an IPv4 address is one client, however it is written", () => {
  for (
    const address of [
      "192.0.2.1",
      "::ffff:192.0.2.1",
      "::FFFF:192.0.2.1",
      "::ffff:c000:201",
      "0:0:0:0:0:ffff:192.0.2.1",
      "192.0.02.1",
    ]
  ) assert.equal(clientKey(address), "192.0.2.1", address);
  assert.equal(clientKey("192.0.2.2"), "192.0.2.2");
  assert.equal(clientKey("0.0.0.0"), "0.0.0.0");
});

Deno.test("all addresses of an IPv6 subnet are one client, and its neighbour another", () => {
  for (
    const address of [
      "2001:db8:1:2::",
      "2001:db8:1:2::1",
      "2001:0DB8:0001:0002:0000::7",
      "2001:db8:1:2:ffff:ffff:ffff:ffff",
      "2001:db8:1:2::192.0.2.1",
    ]
  ) assert.equal(clientKey(address), "2001:db8:1:2::/64", address);
  assert.equal(clientKey("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  assert.equal(clientKey("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(clientKey("::1"), "0:0:0:0::/64");
  assert.equal(clientKey("fe80::1%eth0"), "fe80:0:0:0::/64");
});

Deno.test("what is no address is a client of its own", () => {
  for (const text of ["unknown", "", "::1::", "1.2.3.4.", "1.2.3.4.5"]) {
    assert.equal(clientKey(text), text);
  }
});
