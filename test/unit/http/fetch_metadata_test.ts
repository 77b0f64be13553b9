import assert from "node:assert/strict";
import {
  isAheadOfTime,
  isFramed,
  isSameOriginRequest,
  isSentByPage,
} from "../../../src/http/fetch_metadata.ts";

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

/** Fetch Metadata as a browser sends it: Sec-Fetch-Site, -Mode and -Dest. */
function metadata(site: string, mode: string, destination: string): Headers {
  return new Headers({
    "sec-fetch-site": site,
    "sec-fetch-mode": mode,
    "sec-fetch-dest": destination,
  });
}

Deno.test("isFramed() is true of what a page shows within itself", () => {
  for (const name of ["iframe", "frame", "object", "embed", "fencedframe"]) {
    assert(isFramed(metadata("same-site", "navigate", name)), name);
  }
  for (const name of ["document", "empty", "image", "script", "worker"]) {
    assert(!isFramed(metadata("same-site", "navigate", name)), name);
  }
  assert(!isFramed(new Headers()));
});

Deno.test("isSentByPage() is true of what a page of another origin sends, and false of windows that are opened", () => {
  for (
    const [site, mode, destination, expected] of [
      ["cross-site", "no-cors", "image", true],
      ["same-site", "no-cors", "script", true],
      ["cross-site", "cors", "empty", true],
      ["same-site", "websocket", "websocket", true],
      ["same-site", "navigate", "iframe", true],
      ["cross-site", "navigate", "object", true],
      ["cross-site", "navigate", "document", false],
      ["same-site", "navigate", "document", false],
      ["same-site", "navigate", "empty", false], // by way of a service worker
      ["same-origin", "cors", "empty", false],
      ["same-origin", "navigate", "iframe", false],
      ["none", "navigate", "document", false],
    ] as const
  ) {
    const headers = metadata(site, mode, destination);
    const label = `${site}, ${mode}, ${destination}`;
    assert.equal(isSentByPage(headers), expected, label);
  }
  assert(!isSentByPage(new Headers()));
});

Deno.test("isSameOriginRequest() does not take for the user's own what a browser asks for ahead of time", () => {
  for (const site of ["none", "same-origin"]) {
    const headers = new Headers({ "sec-fetch-site": site });
    assert.equal(isSameOriginRequest(headers, OWN), true, site);
    headers.set("sec-purpose", "prefetch");
    assert.equal(isSameOriginRequest(headers, OWN), site !== "none", site);
  }
});

Deno.test("isSentByPage() is true of what is asked for ahead of time, as if it were a window, whatever its site says", () => {
  for (
    const [name, value] of [
      ["sec-purpose", "prefetch"],
      ["sec-purpose", "prefetch;prerender"],
      ["purpose", "prefetch"],
      ["x-purpose", "preview"],
      ["x-moz", "prefetch"],
    ] as const
  ) {
    // `none` is also what Chromium sends for the speculation rules of any page.
    for (const site of ["cross-site", "same-site", "same-origin", "none"]) {
      const headers = metadata(site, "navigate", "document");
      assert(!isAheadOfTime(headers));
      headers.set(name, value);
      assert(isAheadOfTime(headers));
      assert(isSentByPage(headers), `${name}, ${site}`);
    }
    assert(isSentByPage(new Headers({ [name]: value })), name);
  }
});
