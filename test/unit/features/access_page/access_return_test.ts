import assert from "node:assert/strict";
import {
  checkReturnUrl,
  type ReturnUrlOptions,
} from "../../../../src/address/return_url.ts";
import { hostParser } from "../../../support/names.ts";

const HERE: ReturnUrlOptions = {
  scheme: "https",
  parseHost: hostParser(["preview.example.com", "other.example.org"]),
  authority: "preview.example.com:8443",
};

Deno.test("a login returns to the access page of a sandbox on its base host, and to no other spelling of that", () => {
  const access = "https://preview.example.com:8443/access/demo";
  assert.equal(checkReturnUrl(access, HERE)?.url, access);
  for (
    const url of [
      `${access}/`,
      `${access}?a`,
      access.replace("demo", ""),
      access.replace("/access", "//access"),
      access.replace("preview.", "other."),
    ]
  ) assert.equal(checkReturnUrl(url, HERE), undefined, url);
});
