/**
 * References to which a response sends the browser: {@linkcode checkReturnUrl}, {@linkcode sameHostTarget},
 * {@linkcode toolboxReference}.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  checkReturnUrl,
  sameHostTarget,
} from "../../../src/address/return_url.ts";
import { toolboxReference } from "../../../src/proxy/toolbox_response.ts";
import { hostParser } from "../../support/names.ts";
import {
  cases,
  HOSTILE,
  label,
  mutated,
  port,
  soup,
  TRICKY,
  trickyTarget,
} from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const AUTHORITY = "preview.example.com:8443";
const OPTIONS = {
  scheme: "https",
  parseHost: hostParser(["preview.example.com"]),
  authority: AUTHORITY,
} as const;

const CONFUSING = [
  ...HOSTILE,
  "//evil.example",
  "\\\\evil.example",
  "https:",
  "https://",
  "javascript:",
  "@evil.example",
  ".evil.example",
  ":8443",
  "user:pass@",
];

const previewUrl = fc.tuple(port, label, trickyTarget)
  .map(([port, label, target]) =>
    `https://${port}-${label}.${AUTHORITY}${target}`
  );

const ORIGIN = "https://3000-demo.preview.example.com:8443";

/** References as a daemon may write them: anything below its own path, or an absolute URL. */
const reference = mutated(
  fc.tuple(
    fc.constantFrom(
      "",
      "/",
      "http://localhost:2280",
      "http://127.0.0.1:2280/",
      `https://${AUTHORITY}`,
      "https://runner.example",
      "https://evil.example",
      "//evil.example",
    ),
    fc.constantFrom("", "/sandboxes/box/toolbox", "/toolbox/box"),
    fc.oneof(trickyTarget, soup(TRICKY)),
  ).map((parts) => parts.join("")).chain(cases),
  CONFUSING,
);

/** Properties of the references that the gateway writes or relays. */
export const referenceProperties: readonly Property[] = [
  property(
    "checkReturnUrl() lets a login return only to a preview below its own base",
    mutated(previewUrl, CONFUSING),
    (text) => {
      const checked = checkReturnUrl(text, OPTIONS);
      if (checked === undefined) return;
      const { url, host } = checked;
      const parsed = new URL(url);
      assert.equal(parsed.protocol, "https:");
      assert.equal(parsed.username + parsed.password + parsed.hash, "");
      assert.equal(parsed.host, `${host.port}-${host.label}.${AUTHORITY}`);
      assert.match(url, /^[\x21-\x7e]+$/);
      assert.deepEqual(checkReturnUrl(url, OPTIONS), checked);
      assert.ok(text.endsWith(url.slice(parsed.origin.length)));
    },
  ),

  property(
    "checkReturnUrl() accepts every preview URL of visible ASCII that no signed token opens",
    previewUrl,
    (url) => {
      const isToken = /^https:\/\/\d+-[a-z0-9]{16}\./.test(url);
      const isSendable = /^[\x21-\x22\x24-\x7e]+$/.test(url);
      const checked = checkReturnUrl(url, OPTIONS);
      assert.equal(checked !== undefined, !isToken && isSendable);
      if (checked !== undefined) assert.equal(checked.url, url);
    },
  ),

  property(
    "sameHostTarget() never leads to another host",
    mutated(
      fc.tuple(fc.constantFrom("", ORIGIN), trickyTarget)
        .map((parts) => parts.join("")).chain(cases),
      CONFUSING,
    ),
    (text) => {
      const target = sameHostTarget(text, ORIGIN);
      if (target === undefined) return;
      assert.equal(new URL(ORIGIN + target).origin, ORIGIN);
      assert.equal(new URL(text, ORIGIN).origin, ORIGIN);
      assert.ok(text.endsWith(target));
    },
  ),

  property(
    "toolboxReference() rewrites a reference once, to a path of the toolbox, and changes no other",
    reference,
    (reference) => {
      const address = { sandboxId: "box", authority: AUTHORITY };
      const result = toolboxReference(reference, address);
      const base = `https://${AUTHORITY}/toolbox/box/files`;
      if (result === reference) {
        // A reference that a browser takes for a path on this host must already be one of the toolbox.
        const isPath = /^\/(?![/\\])/.test(reference);
        if (isPath) assert.match(reference, /^\/toolbox\/box(?:[/?#]|$)/);
        return;
      }
      assert.match(result, /^\/toolbox\/box(?:[/?#]|$)/);
      assert.equal(new URL(result, base).origin, `https://${AUTHORITY}`);
      assert.equal(toolboxReference(result, address), result);
    },
  ),
];
