import assert from "node:assert/strict";
import {
  ACCESS_HEADERS,
  accessPageOf,
} from "../../../../src/features/access_page/access_page.ts";
import { pageScript } from "../../../../src/pages/script.ts";

/** The texts of all elements of a name. */
function textsOf(html: string, name: string): string[] {
  const elements = new RegExp(`<${name}>([^]*?)</${name}>`, "g");
  return [...html.matchAll(elements)].map(([, text = ""]) => text);
}

Deno.test("the access page runs its own script and style and no other, asks its own host only, and is in no frame", () => {
  const html = accessPageOf("box");
  const policy = ACCESS_HEADERS["content-security-policy"];
  const directives = new Map(
    policy.split("; ").map((text) => {
      const [name = "", ...sources] = text.split(" ");
      return [name, sources];
    }),
  );
  for (
    const [name, directive] of [["script", "script-src"], [
      "style",
      "style-src",
    ]] as const
  ) {
    const sources = textsOf(html, name).map((text) => pageScript(text).source);
    assert.equal(sources.length, 1);
    assert.deepEqual(directives.get(directive), sources);
  }
  assert.doesNotMatch(html, / (?:style|on\w+)=/);
  assert.deepEqual(directives.get("default-src"), ["'none'"]);
  assert.deepEqual(directives.get("connect-src"), ["'self'"]);
  for (const name of ["form-action", "frame-ancestors", "base-uri"]) {
    assert.deepEqual(directives.get(name), ["'none'"]);
  }
});

Deno.test("the access page has a section for each kind, with a heading that takes the focus and a status that is read out", () => {
  const sections = [
    ...accessPageOf("box").matchAll(/<section id="(\w+)"([^]*?)<\/section>/g),
  ];
  const kinds = sections.map(([, kind]) => kind);
  assert.deepEqual(kinds, ["shares", "tokens", "names", "embeds"]);
  for (const [, kind, html = ""] of sections) {
    assert.ok(html.startsWith(` aria-labelledby="${kind}-title">`));
    assert.match(html, new RegExp(`<h2 id="${kind}-title" tabindex="-1">`));
    assert.equal(html.match(/<p role="status"><\/p>/g)?.length, 1);
    // Hidden until the API says that there are some, or may be.
    assert.doesNotMatch(html, /<(?:table|form)(?! hidden>)/);
  }
});

Deno.test("whoever makes a share need not say how long it lasts, as the operator may allow less than any default", () => {
  const [, shares = ""] = accessPageOf("box").split('<section id="shares"');
  const [hours = ""] = /<input name="hours"[^>]*>/.exec(shares) ?? [];
  assert.match(hours, / min="1"/);
  assert.doesNotMatch(hours, / (?:required|value=)/);
});

Deno.test("the access page takes the sandbox's name for text", () => {
  const html = accessPageOf(`<b>"&`);
  assert.match(html, /<title>Access to &lt;b&gt;&quot;&amp;<\/title>/);
  assert.doesNotMatch(html, /<b>/);
});
