import {
  base64url,
  CompactEncrypt,
  decodeProtectedHeader,
  EncryptJWT,
} from "jose";
import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { createSealer } from "../../../src/lib/seal.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

function sealer(
  { secrets = ["old and long enough"], purpose = "session", now = () => NOW }: {
    secrets?: string[];
    purpose?: string;
    now?: () => number;
  } = {},
) {
  return createSealer({ secrets, purpose, now });
}

/** The key that the sealer derives, derived independently with WebCrypto's HKDF. */
async function keyOf(secret: string, purpose: string): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const raw = encoder.encode(secret);
  const usages: KeyUsage[] = ["deriveBits"];
  const key = await crypto.subtle.importKey("raw", raw, "HKDF", false, usages);
  const info = encoder.encode(`porthole seal key ${purpose}`);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf, key, 256));
}

Deno.test("open() returns the payload that seal() was given", async () => {
  const payload = { sandboxId: "s-1", scope: [3000], exp: "not the claim" };
  const token = await sealer().seal(payload, NOW + HOUR);
  match(token, /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
  deepEqual(await sealer().open(token), payload);
  notEqual(await sealer().seal(payload, NOW + HOUR), token);
});

Deno.test("seal() leaves only algorithm, purpose and key id readable", async () => {
  const token = await sealer().seal({ user: "u-1" }, NOW + HOUR);
  const { kid, ...rest } = decodeProtectedHeader(token);
  deepEqual(rest, { alg: "dir", enc: "A256GCM", typ: "session" });
  match(kid ?? "", /^[\w-]{8}$/);
});

Deno.test("open() refuses a token from the second of its expiry on", async () => {
  let now = NOW;
  const { seal, open } = sealer({ now: () => now });
  const token = await seal({ a: 1 }, NOW + 10_900);
  now = NOW + 9_999;
  deepEqual(await open(token), { a: 1 });
  now = NOW + 10_000;
  equal(await open(token), undefined);
});

Deno.test("open() refuses a token of another purpose", async () => {
  const token = await sealer({ purpose: "login" }).seal({}, NOW + HOUR);
  equal(await sealer({ purpose: "session" }).open(token), undefined);
});

Deno.test("open() refuses a token with the right key and another typ", async () => {
  const kid = decodeProtectedHeader(await sealer().seal({}, NOW + HOUR)).kid;
  const key = await keyOf("old and long enough", "session");
  async function forge(typ?: string): Promise<string> {
    return await new EncryptJWT({ data: { ok: true } })
      .setProtectedHeader({
        alg: "dir",
        enc: "A256GCM",
        kid: kid ?? "",
        ...(typ === undefined ? {} : { typ }),
      })
      .setExpirationTime((NOW + HOUR) / 1000).encrypt(key);
  }
  deepEqual(await sealer().open(await forge("session")), { ok: true });
  equal(await sealer().open(await forge("login")), undefined);
  equal(await sealer().open(await forge()), undefined);
});

Deno.test("open() refuses compressed, critical, unexpiring, malformed and overlong contents, even under the right key", async () => {
  const kid = decodeProtectedHeader(await sealer().seal({}, NOW + HOUR)).kid ??
    "";
  const key = await keyOf("old and long enough", "session");
  const header = { alg: "dir", enc: "A256GCM", typ: "session", kid } as const;
  const good = { data: { a: 1 }, exp: (NOW + HOUR) / 1000 };
  async function forge(claims: unknown, extra = {}): Promise<string> {
    const bytes = new TextEncoder().encode(JSON.stringify(claims));
    return await new CompactEncrypt(bytes)
      .setProtectedHeader({ ...header, ...extra })
      .encrypt(key, { crit: { "urn:x": true } });
  }
  deepEqual(await sealer().open(await forge(good)), { a: 1 });
  const bad = [
    await forge(good, { zip: "DEF" }),
    await forge(good, { crit: ["urn:x"], "urn:x": 1 }),
    await forge({ data: {} }),
    await forge({ exp: good.exp }),
    await forge({ data: {}, exp: "tomorrow" }),
    await forge("text"),
    await forge({ ...good, pad: "x".repeat(8_192) }),
  ];
  for (const token of bad) equal(await sealer().open(token), undefined);
});

Deno.test("open() returns undefined for any other text", async () => {
  const { seal, open } = sealer();
  const token = await seal({ a: 1 }, NOW + HOUR);
  const [header = "", , iv, text, tag] = token.split(".");
  function headed(fields: object): string {
    const encoded = base64url.encode(JSON.stringify(fields));
    return [encoded, "", iv, text, tag].join(".");
  }
  const hostile = [
    "",
    ".",
    "....",
    ".....",
    "a.b.c",
    "\0",
    "é".repeat(50),
    token.slice(0, -1),
    token + ".",
    `${token}A`,
    token.replace("..", ".AAAA."),
    [header, "", iv, text, "A".repeat(22)].join("."),
    ["", "", iv, text, tag].join("."),
    headed({ alg: "none" }),
    headed({ alg: "dir", enc: "A256GCM" }),
    headed({ alg: "dir", enc: "A256GCM", kid: "__proto__" }),
    headed({ alg: "dir", enc: "A256GCM", kid: { toString: 1 } }),
    headed({ alg: "PBES2-HS256+A128KW", p2c: 1e9, p2s: "AAAA" }),
    headed({ ...JSON.parse(atob(header)), enc: "A128GCM" }),
  ];
  for (const each of hostile) equal(await open(each), undefined, each);
});

Deno.test("open() refuses a token with any character changed", async () => {
  const { seal, open } = sealer();
  const token = await seal({ a: 1 }, NOW + HOUR);
  for (let at = 0; at < token.length; at++) {
    if (token[at] === ".") continue;
    // The change is in the two highest of the six bits: the lowest may be padding at the end of a part.
    const other = /[A-Z]/.test(token[at] ?? "") ? "z" : "A";
    equal(
      await open(token.slice(0, at) + other + token.slice(at + 1)),
      undefined,
    );
  }
});

Deno.test("open() accepts every listed secret, seal() uses the first", async () => {
  const before = sealer({ secrets: ["old"] });
  const during = sealer({ secrets: ["new", "old"] });
  const after = sealer({ secrets: ["new"] });
  const old = await before.seal({ by: "old" }, NOW + HOUR);
  const young = await during.seal({ by: "new" }, NOW + HOUR);
  deepEqual(await during.open(old), { by: "old" });
  deepEqual(await after.open(young), { by: "new" });
  equal(await after.open(old), undefined);
  equal(await before.open(young), undefined);
});

Deno.test("seal() throws a RangeError for a token that open() would refuse as too long", async () => {
  const { seal, open } = sealer();
  await rejects(seal({ a: "x".repeat(8_192) }, NOW + HOUR), RangeError);
  const long = await seal({ a: "x".repeat(5_900) }, NOW + HOUR);
  equal((await open(long))?.["a"], "x".repeat(5_900));
});

Deno.test("createSealer() throws a TypeError without usable secrets", () => {
  for (const secrets of [[], [""], ["good", ""]]) {
    throws(() => sealer({ secrets }), {
      name: "TypeError",
      message:
        "Cannot seal for 'session': secrets must be a list of non-empty strings",
    });
  }
});
