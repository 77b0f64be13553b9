import assert from "node:assert/strict";
import {
  checkReturnUrl,
  type ReturnUrlOptions,
  stillReturnUrl,
} from "../../../../src/address/return_url.ts";
import { hostParser } from "../../../support/names.ts";

const HERE: ReturnUrlOptions = {
  scheme: "https",
  parseHost: hostParser(["preview.example.com", "other.example.org"]),
  authority: "preview.example.com:8443",
};

Deno.test("a login returns to the page of a share on its base host, which is about no sandbox", () => {
  const share = "https://preview.example.com:8443/s/AAECAwQFBgcICQoLDA0ODw";
  const found = checkReturnUrl(share, HERE);
  assert.deepEqual(found, {
    url: share,
    host: {
      port: 2280,
      label: "",
      base: "preview.example.com",
      authoritySuffix: "preview.example.com:8443",
    },
    isOnBase: true,
    isForAnybody: true,
  });
  assert.deepEqual(stillReturnUrl(share, HERE.parseHost), found);
  for (
    const url of [
      `${share}/`,
      `${share}?a`,
      `${share}#secret`,
      `${share}A`,
      share.slice(0, -1),
      share.replace("/s/", "/S/"),
      share.replace("/s/", "//s/"),
      share.replace("preview.", "other."),
      share.replace(":8443", ""),
    ]
  ) assert.equal(checkReturnUrl(url, HERE), undefined, url);
});
