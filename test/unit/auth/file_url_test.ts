import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { isSignedBy, splitFileSignature } from "../../../src/auth/file_url.ts";

const KEY = "key-of-the-sandbox";
const NOW_SEC = 1_800_000_000;
const LATER = String(NOW_SEC + 60);

/** A signature, as the SDK makes it. */
function sign(method: string, path: string, expires: string): string {
  const text = `v1:files:${method}:${path}:${expires}`;
  return `v1_${createHmac("sha256", KEY).update(text).digest("base64url")}`;
}

/** The target of a URL, as the SDK makes it. */
function downloadOf(
  path: string,
  expires = LATER,
  signature = sign("GET", path, expires),
): string {
  const query = new URLSearchParams({ path, expires, signature });
  return `/files/download?${query}`;
}

async function verdictOn(
  target: string,
  { method = "GET", key = KEY }: { method?: string; key?: string } = {},
): Promise<"unsigned" | "invalid" | "refused" | "good"> {
  const now = 1000 * NOW_SEC;
  const { signature } = splitFileSignature(method, target, now);
  if (signature === undefined) return "unsigned";
  if (signature === "invalid") return signature;
  return await isSignedBy(signature, key) ? "good" : "refused";
}

Deno.test("a signed URL is good for its operation, whatever its path, until it expires", async () => {
  for (
    const path of [
      "/a",
      "/a b+c",
      "grüße 🚪.txt",
      "/d:9999999999",
      "a&b=c;d#e?",
    ]
  ) {
    assert.equal(await verdictOn(downloadOf(path)), "good", path);
    assert.equal(await verdictOn(downloadOf(path, "0")), "good", path);
  }
  const upload = downloadOf("/a", LATER, sign("POST", "/a", LATER))
    .replace("download", "upload-v2");
  assert.equal(await verdictOn(upload, { method: "POST" }), "good");
  const last = String(NOW_SEC + 1);
  assert.equal(await verdictOn(downloadOf("/a", last)), "good");
});

Deno.test("a signed URL is refused once it has expired", async () => {
  for (const expires of [String(NOW_SEC), String(NOW_SEC - 1), "1"]) {
    const target = downloadOf("/a", expires);
    assert.equal(await verdictOn(target), "invalid");
    const { endedAt } = splitFileSignature("GET", target, NOW_SEC * 1000);
    assert.equal(endedAt, 1000 * Number(expires));
  }
});

Deno.test("a signature is good for no other path, end, method, operation or key", async () => {
  const target = downloadOf("/a");
  const signature = sign("GET", "/a", LATER);
  assert.equal(await verdictOn(downloadOf("/b", LATER, signature)), "refused");
  assert.equal(await verdictOn(downloadOf("/a", "0", signature)), "refused");
  assert.equal(await verdictOn(target, { key: "another" }), "refused");
  for (const method of ["HEAD", "POST", "PUT", "get"]) {
    assert.equal(await verdictOn(target, { method }), "invalid", method);
  }
  const upload = target.replace("download", "upload-v2");
  assert.equal(await verdictOn(upload), "invalid");
  assert.equal(await verdictOn(upload, { method: "POST" }), "refused");
});

Deno.test("no other operation is ever taken for a signed URL's", async () => {
  const query = downloadOf("/a").slice("/files/download".length);
  for (
    const path of [
      "/files",
      "/files/",
      "/files/info",
      "/files/download/",
      "/files//download",
      "/files/./download",
      "/files/downloa%64",
      "/Files/download",
      "/process/execute",
      "/proxy/3000/files/download",
    ]
  ) {
    assert.equal(await verdictOn(path + query), "unsigned", path);
  }
});

Deno.test("a later end cannot be moved out of the path: the signed text is the same", async () => {
  const signature = sign("GET", "/d", `${LATER}:1`);
  assert.equal(signature, sign("GET", `/d:${LATER}`, "1"));
  const trick = downloadOf("/d", `${LATER}:1`, signature);
  assert.equal(await verdictOn(trick), "invalid");
  const expired = downloadOf(`/d:${LATER}`, "1", signature);
  assert.equal(await verdictOn(expired), "invalid");
});

Deno.test("an end is digits and nothing else", async () => {
  for (
    const expires of [
      "",
      " ",
      "-1",
      `+${LATER}`,
      ` ${LATER}`,
      `${LATER} `,
      `0${LATER}`,
      "00",
      `${LATER}.5`,
      "1e12",
      "0x7fffffff",
      "Infinity",
      "٩٩٩٩٩٩٩٩٩٩",
      "9".repeat(16),
    ]
  ) {
    assert.equal(
      await verdictOn(downloadOf("/a", expires)),
      "invalid",
      expires,
    );
  }
});

Deno.test("each parameter is there once, and there is no other", async () => {
  const good = downloadOf("/a");
  const [, expires, signature] = good.split("&");
  for (
    const target of [
      `${good}&path=%2Fa`,
      `${good}&path=%2Fetc`,
      `${good}&%70ath=%2Fa`,
      `${good}&PATH=%2Fa`,
      `${good}&${expires}`,
      `${good}&${signature}`,
      `${good}&recursive=true`,
      `${good}&`,
      `${good}&DAYTONA_SANDBOX_AUTH_KEY=`,
      `/files/download?${expires}&${signature}`,
      `/files/download?path&${expires}&${signature}`,
      `/files/download?path=%2Fa&${signature}`,
      `/files/download?path=%2Fa&${expires}`,
      `/files/download?path=%2Fa&${expires}&signature`,
      good.replace("signature=", "%73ignature="),
      good.replace("path=", "path=;"),
      good.replace("path=", "path=%ff"),
      good.replace("path=", "path=%zz"),
    ]
  ) {
    assert.equal(await verdictOn(target), "invalid", target);
  }
});

Deno.test("a signature has one spelling", async () => {
  const good = sign("GET", "/a", LATER);
  const alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(good.slice(-1));
  // Decodes to the same bytes.
  const twin = good.slice(0, -1) + alphabet[last ^ 1];
  assert.equal(await verdictOn(downloadOf("/a", LATER, twin)), "refused");
  for (
    const signature of [
      "",
      good.slice(3),
      `v2_${good.slice(3)}`,
      `V1_${good.slice(3)}`,
      `${good}=`,
      `${good}A`,
      good.slice(0, -1),
      " " + good,
    ]
  ) {
    assert.equal(
      await verdictOn(downloadOf("/a", LATER, signature)),
      "invalid",
      signature,
    );
  }
});

Deno.test("the daemon gets the path byte for byte, and nothing of the signature", () => {
  for (
    const [target, left] of [
      [
        "/files/download?path=a+%2b%20c&expires=0&signature=v1_x",
        "/files/download?path=a+%2b%20c",
      ],
      [
        "/files/download?signature=a&%65xpires=0&path=%2fd&signatur%65=b&x",
        "/files/download?path=%2fd&x",
      ],
      ["/files/download?signature", "/files/download"],
      [
        "/files/download?path=%2Fsignature=1",
        "/files/download?path=%2Fsignature=1",
      ],
      ["/files/info?path=a&signature=b", "/files/info?path=a&signature=b"],
    ] as const
  ) {
    assert.equal(splitFileSignature("GET", target, 0).target, left);
  }
});
