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

Deno.test("a login returns to the requests of a sandbox on its base host, and to no other spelling of that", () => {
  const base = "https://preview.example.com:8443";
  const found = checkReturnUrl(`${base}/inspect/demo`, HERE);
  assert.deepEqual(found, {
    url: `${base}/inspect/demo`,
    host: {
      port: 2280,
      label: "demo",
      base: "preview.example.com",
      authoritySuffix: "preview.example.com:8443",
    },
    isOnBase: true,
  });
  assert.deepEqual(
    stillReturnUrl(`${base}/inspect/demo`, HERE.parseHost),
    found,
  );
  const nowhere = hostParser([]);
  assert.equal(stillReturnUrl(`${base}/inspect/demo`, nowhere), undefined);
  for (
    const url of [
      `${base}/`,
      `${base}/logout`,
      `${base}/inspect`,
      `${base}/inspect/demo/`,
      `${base}/api/v1/tokens`,
      `${base}/inspect/demo/events`,
      `${base}/inspect/demo?a`,
      `${base}/inspect/abcdefgh12345678`, // a signed token, perhaps
      `${base}/inspect/Demo`,
      `${base}/inspect/../x`,
      "https://other.example.org/inspect/demo",
      "https://preview.example.com/inspect/demo",
      "http://preview.example.com:8443/inspect/demo",
      "https://evil.com/inspect/demo",
    ]
  ) assert.equal(checkReturnUrl(url, HERE), undefined, url);
});
