import ipaddr from "ipaddr.js";
import assert from "node:assert/strict";
import {
  clientOf,
  untrustedNetwork,
} from "../../../../src/downstream/http/forwarded.ts";

function from(
  peer: string,
  headers: Record<string, string> = {},
  trusted: string[] = ["10.0.0.0/8", "fd00::/8"],
) {
  return clientOf(peer, new Headers(headers), {
    authority: "3000-box.p.test",
    scheme: "https",
    trusted: trusted.map((range) => ipaddr.parseCIDR(range)),
  });
}

Deno.test("clientOf() goes by the socket's address where the peer is not trusted", () => {
  assert.deepEqual(
    from("192.0.2.1", {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-host": "evil.test",
      "x-forwarded-proto": "http",
    }),
    {
      clientAddress: "192.0.2.1",
      forwarded: {
        host: "3000-box.p.test",
        proto: "https",
        for: "192.0.2.1",
      },
    },
  );
});

Deno.test("clientOf() keeps the chain of a trusted proxy and walks it from the right", () => {
  const { clientAddress, forwarded } = from("10.0.0.2", {
    "x-forwarded-for": "198.51.100.7, 203.0.113.9, 10.1.1.1",
    "x-forwarded-host": "app.example.com",
    "x-forwarded-proto": "http",
  });
  assert.equal(clientAddress, "203.0.113.9");
  assert.deepEqual(forwarded, {
    host: "app.example.com",
    proto: "http",
    for: "198.51.100.7, 203.0.113.9, 10.1.1.1, 10.0.0.2",
  });
});

Deno.test("clientOf() drops what is no address, host or scheme", () => {
  const { clientAddress, forwarded } = from("fd00::1", {
    "x-forwarded-for": "unknown, <script>, 0x7f.1, 10, 2001:db8::7",
    "x-forwarded-host": "a.test, b.test",
    "x-forwarded-proto": "https, http",
  });
  assert.equal(clientAddress, "2001:db8::7");
  assert.deepEqual(forwarded, {
    host: "3000-box.p.test",
    proto: "https",
    for: "2001:db8::7, fd00::1",
  });
});

Deno.test("clientOf() of a trusted proxy that says nothing is the proxy itself", () => {
  assert.deepEqual(from("10.0.0.2"), {
    clientAddress: "10.0.0.2",
    forwarded: { host: "3000-box.p.test", proto: "https", for: "10.0.0.2" },
  });
});

Deno.test("clientOf() knows a mapped IPv4 address as itself", () => {
  const { clientAddress } = from("::ffff:10.0.0.2", {
    "x-forwarded-for": "203.0.113.9",
  });
  assert.equal(clientAddress, "203.0.113.9");
});

Deno.test("clientOf() names the leftmost hop where all of them are trusted", () => {
  const { clientAddress } = from("10.0.0.2", { "x-forwarded-for": "10.0.0.9" });
  assert.equal(clientAddress, "10.0.0.9");
});

Deno.test("untrustedNetwork() tells where a proxy may be that is not trusted", () => {
  const trusted = [ipaddr.parseCIDR("10.0.0.0/8")];
  for (
    const [peer, network] of [
      ["127.0.0.1", "loopback"],
      ["192.168.1.1", "private"],
      ["100.64.0.1", "carrierGradeNat"],
      ["fd00::1", "uniqueLocal"],
      ["10.1.2.3", undefined],
      ["203.0.113.9", undefined],
      ["2001:4860:4860::8888", undefined],
      ["unix", undefined],
    ] as const
  ) assert.equal(untrustedNetwork(peer, trusted), network, peer);
});
