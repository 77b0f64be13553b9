import assert from "node:assert/strict";
import type { Name } from "../../../src/address/known_names.ts";
import { createHostParser } from "../../../src/address/preview_host.ts";
import {
  checkReturnUrl,
  type ReturnUrlOptions,
  stillReturnUrl,
} from "../../../src/address/return_url.ts";

const BASES = ["preview.example.com", "other.example.org"];
const ALIAS = "shop.preview.example.com";
const DOMAIN = "shop.customer.example";

/** A parser that knows names, which a test may change, and the base host of a login. */
function setUp() {
  const shop: Name = { sandboxId: "box", port: 3000, isSuspended: false };
  const names = new Map<string, Name>([
    [ALIAS, shop],
    [DOMAIN, shop],
    ["shop.other.example.org", shop],
    ["away.customer.example", { ...shop, isSuspended: true }],
  ]);
  const parseHost = createHostParser(() => BASES, {
    find: (host) => names.get(host),
    of: () => undefined,
  });
  const here: ReturnUrlOptions = {
    scheme: "https",
    parseHost,
    authority: "preview.example.com:8443",
  };
  return { names, shop, parseHost, here };
}

Deno.test("a login returns to a name, in its canonical form, and to the very address there", () => {
  const { here } = setUp();
  for (const target of ["/", "/a/b?c=d&e=%20%zz", "//evil.com/x"]) {
    for (const name of [ALIAS, DOMAIN]) {
      const url = `https://${name}:8443${target}`;
      const found = checkReturnUrl(url, here);
      assert.equal(found?.url, url);
      assert.deepEqual(found.host, {
        port: 3000,
        label: "box",
        base: "preview.example.com",
        authoritySuffix: "preview.example.com:8443",
        name: `${name}:8443`,
      });
    }
  }
  const odd = checkReturnUrl("https://Shop.CUSTOMER.example.:8443/A", here);
  assert.equal(odd?.url, `https://${DOMAIN}:8443/A`);
});

Deno.test("a login on a base host returns to the names whose login is there, and to nothing that is no name", () => {
  const { here } = setUp();
  const there = { ...here, authority: "other.example.org" };
  const alias = "https://shop.other.example.org/";
  assert.equal(checkReturnUrl(alias, there)?.url, alias);
  for (
    const [text, options] of [
      // Names whose login is on another base host, or another port of this one.
      [`https://${DOMAIN}/`, there],
      [`https://${ALIAS}/`, there],
      ["https://shop.other.example.org:8443/", here],
      [`https://${ALIAS}/`, here],
      [`https://${DOMAIN}/`, here],
      [`https://${DOMAIN}:443/`, here],
      [`https://${DOMAIN}:08443/`, here],
      [`http://${DOMAIN}:8443/`, here],
      // No names, or nowhere for now.
      ["https://away.customer.example:8443/", here],
      ["https://customer.example:8443/", here],
      [`https://x.${DOMAIN}:8443/`, here],
      [`https://${DOMAIN}.evil.com:8443/`, here],
      [`https://${DOMAIN}..:8443/`, here],
      [`https://evil.com@${DOMAIN}:8443/`, here],
      [`https://${DOMAIN}:8443@evil.com/`, here],
      [`https://${DOMAIN}:8443\\@evil.com/`, here],
      [`https://3000-${ALIAS}:8443/`, here],
      ["https://\u017fhop.customer.example:8443/", here], // a long s upper-cases to S
      ["https://shop\u3002customer.example:8443/", here],
      [`https://${DOMAIN}:8443`, here],
      [`https://${DOMAIN}:8443/#`, here],
    ] as const
  ) assert.equal(checkReturnUrl(text, options), undefined, text);
});

Deno.test("a login that has ended returns to where a name leads by then, and to none that is none any more", () => {
  const { names, shop, parseHost } = setUp();
  const url = `https://${DOMAIN}:8443/a?b`;
  names.set(DOMAIN, { ...shop, sandboxId: "other", port: 8000 });
  const found = stillReturnUrl(url, parseHost);
  assert.equal(found?.url, url);
  assert.equal(found.host.label, "other");
  assert.equal(found.host.port, 8000);
  names.set(DOMAIN, { ...shop, isSuspended: true });
  assert.equal(stillReturnUrl(url, parseHost), undefined);
  names.delete(DOMAIN);
  assert.equal(stillReturnUrl(url, parseHost), undefined);
});
