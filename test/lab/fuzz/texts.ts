/**
 * Settings, HTML and sealed tokens: {@linkcode readSettings} and its formats, {@linkcode escapeHtml},
 * {@linkcode createSealer}.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  addressRange,
  baseUrl,
  filePath,
  flag,
  integer,
  listenAddress,
  listOf,
  oidcScope,
  optional,
  origin,
  previewDomain,
  seconds,
  token,
} from "../../../src/config/formats.ts";
import {
  type Format,
  readSettings,
} from "../../../src/config/read_settings.ts";
import { escapeHtml } from "../../../src/pages/html.ts";
import { createSealer } from "../../../src/lib/seal.ts";
import { anyText, HOSTILE, mutated, soup } from "./arbitraries.ts";
import { asyncProperty, nowhere, type Property, property } from "./property.ts";

/** Nearly valid values of settings. */
const settingText = mutated(
  fc.constantFrom(
    "https://api.example.com/base/",
    "http://[::1]:4000",
    "preview.example.com:4000",
    "10.0.0.0/8, ::1, 192.0.2.1",
    "openid profile",
    "3600",
    "0.0.0.0",
    "",
  ),
  [
    ...HOSTILE,
    "user:pass@",
    "//",
    "1.1",
    "::",
    "/33",
    "-1",
    "1e3",
    ".",
    "xn--",
  ],
);

function format<T>(
  { schema }: Format<T>,
  holds: (value: T) => void,
): (text: string) => void {
  return (text) => {
    const { success, data } = schema.safeParse(text);
    if (success) holds(data);
  };
}

/** All formats, each with a check of its values. */
const FORMATS: readonly ((text: string) => void)[] = [
  format(
    integer({ min: 1, max: 65535 }),
    (value) => assert.ok(value >= 1 && value <= 65535),
  ),
  format(
    seconds(),
    (value) => assert.ok(value >= 1 && value * 1000 < 2 ** 31),
  ),
  format(flag, (value) => assert.equal(typeof value, "boolean")),
  format(baseUrl, (url) => {
    assert.match(url, /^https?:\/\/[^/?#@]+(?:\/[^?#]*[^/?#])?$/);
    assert.equal(baseUrl.schema.parse(url), url);
    assert.equal(new URL(`${url}/x`).href, `${url}/x`);
  }),
  format(origin, (value) => assert.equal(new URL(value).origin, value)),
  format(previewDomain, ({ name }) => {
    const { href } = new URL(`http://3000-x.${name}/`);
    assert.equal(href, `http://3000-x.${name}/`);
  }),
  format(listOf(addressRange), (ranges) => {
    for (const range of ranges) assert.match(range, /^[0-9a-f.:]+\/\d+$/i);
  }),
  format(
    listenAddress,
    (address) => assert.match(address, /^[0-9a-z.:-]+$/i),
  ),
  format(optional(token), (value) => {
    if (value !== undefined) assert.match(value, /^[\x21-\x7e]+$/);
  }),
  format(
    oidcScope,
    (value) => assert.ok(value.split(" ").includes("openid")),
  ),
  format(filePath, (path) => assert.ok(!path.includes("\0"))),
];

const SECRET = "hunter2";

const NOW = 1_700_000_000_000;
const sealer = createSealer({
  secrets: ["one", "two"],
  purpose: "fuzz",
  now: () => NOW,
});

/** Properties of settings, of text in pages, and of sealed tokens. */
export const textProperties: readonly Property[] = [
  property(
    "every format of a setting refuses a text or returns a value of its type",
    fc.oneof(settingText, anyText),
    (text) => {
      for (const check of FORMATS) check(text);
    },
  ),

  property(
    "readSettings() never shows the password of a URL that it cannot read",
    fc.record({
      scheme: fc.constantFrom("redis://", "https://", "REDIS:/", "//", ""),
      user: soup(["u", ":", "/", "@", " ", "%40", "\n", "?", "#"], 4),
      behind: soup(["/", "@", ":", "?", "#", "\n", "\\", "x"], 4),
      host: fc.constantFrom("cache.example:6379", "host", "[::1", "a b"),
    }),
    ({ scheme, user, behind, host }) => {
      const url = `${scheme}${user}:${SECRET}${behind}@${host}`;
      const result = readSettings({
        CACHE: {
          group: "x",
          purpose: "x",
          format: integer({ min: 0, max: 1 }),
        },
      }, { CACHE: url });
      assert.equal(result.ok, false);
      const shown = result.ok ? "" : result.problems[0]?.given ?? "";
      assert.ok(!shown.includes(SECRET), shown);
    },
  ),

  property(
    "escapeHtml() leaves no markup, and loses nothing",
    fc.oneof(anyText, soup(["<", ">", "&", '"', "'", "&amp;", "&lt;", "]]>"])),
    (text) => {
      const escaped = escapeHtml(text);
      assert.doesNotMatch(escaped, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      const plain = escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"').replaceAll("&#39;", "'")
        .replaceAll("&amp;", "&");
      assert.equal(plain, text);
    },
  ),

  asyncProperty(
    "createSealer() opens its own tokens, and none that was changed",
    fc.record({
      payload: fc.dictionary(fc.string(), fc.jsonValue()),
      livesMs: fc.integer({ min: -5000, max: 5000 }),
      at: fc.nat(2000),
      character: fc.constantFrom(..."Aa0-_.=\0\xe9", ""),
    }),
    {
      share: 1 / 20,
      start: nowhere,
      async holds({ payload, livesMs, at, character }) {
        const wanted: unknown = JSON.parse(JSON.stringify(payload));
        const sealed = await sealer.seal(payload, NOW + livesMs);
        const opened = await sealer.open(sealed);
        const isAlive = Math.floor((NOW + livesMs) / 1000) > NOW / 1000;
        assert.deepEqual(opened, isAlive ? wanted : undefined);
        const index = at % sealed.length;
        const changed = sealed.slice(0, index) + character +
          sealed.slice(index + 1);
        if (changed === sealed) return;
        const forged = await sealer.open(changed);
        // May be the same bytes: base64url leaves bits of a part's last character unused.
        const isLast = ["", "."].includes(sealed.charAt(index + 1));
        if (isLast && forged !== undefined) assert.deepEqual(forged, wanted);
        else assert.equal(forged, undefined);
      },
    },
  ),

  asyncProperty(
    "createSealer() opens no text that it did not seal",
    mutated(
      fc.constantFrom(
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        "e30....",
        "....",
        "bnVsbA..AA.AA.AA",
      ),
      HOSTILE,
    ),
    {
      share: 1 / 20,
      start: nowhere,
      async holds(text) {
        assert.equal(await sealer.open(text), undefined);
      },
    },
  ),
];
