import assert from "node:assert/strict";
import { isSameOriginRequest } from "../../src/lib/fetch_metadata.ts";

const OWN = "https://3000-demo.preview.example.com";
const SIBLING = "https://3000-other.preview.example.com";

Deno.test("isSameOriginRequest() needs Sec-Fetch-Site or Origin, and both to agree if there are both", () => {
  for (
    const [site, origin, expected] of [
      [undefined, undefined, undefined],
      ["same-origin", undefined, true],
      ["none", undefined, true],
      ["same-site", undefined, false],
      ["cross-site", undefined, false],
      ["", undefined, false],
      [undefined, OWN, true],
      [undefined, SIBLING, false],
      [undefined, `${OWN}:444`, false],
      [undefined, OWN.replace("https", "http"), false],
      [undefined, "", false],
      ["same-origin", OWN, true],
      ["none", OWN, true],
      ["same-origin", SIBLING, false],
      ["none", SIBLING, false],
      ["same-site", OWN, false],
      ["cross-site", OWN, false],
    ] as const
  ) {
    const headers = new Headers();
    if (site !== undefined) headers.set("sec-fetch-site", site);
    if (origin !== undefined) headers.set("origin", origin);
    const label = `${site} and ${origin}`;
    assert.equal(isSameOriginRequest(headers, OWN), expected, label);
  }
});

Deno.test("isSameOriginRequest() ignores Origin: null only beside Sec-Fetch-Site", () => {
  for (
    const [site, expected] of [
      [undefined, false],
      ["same-origin", true],
      ["same-site", false],
      ["cross-site", false],
    ] as const
  ) {
    const headers = new Headers({ origin: "null" });
    if (site !== undefined) headers.set("sec-fetch-site", site);
    assert.equal(isSameOriginRequest(headers, OWN), expected, `${site}`);
  }
});
