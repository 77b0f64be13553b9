/**
 * Signed URLs of files, which Daytona's SDK makes for whoever has no key: each lets its holder download or upload one
 * file by the sandbox's daemon until it expires. What is signed is `v1:files:{method}:{path}:{expires}`.
 */
import { base64url } from "jose";
import { formDecoded, splitParameter } from "../http/query_parameter.ts";
import { splitQuery } from "../http/request_url.ts";

/** The daemon's operations that URLs are signed for. The method is signed, and it alone tells one from the other. */
const OPERATIONS = new Map([
  ["/files/download", "GET"],
  ["/files/upload-v2", "POST"],
]);

/** The parameters of a signed URL. */
const PARAMETERS = ["path", "expires", "signature"];

/** Seconds since the epoch, or 0 for never. Digits only, so that no colon can be moved here from the path. */
const EXPIRES = /^(?:0|[1-9][0-9]{0,14})$/;

/** Text that every server decodes alike: some take `;` for a separator, and some `#` for the end. */
const PLAIN = /^[!-"$-:<-~]*$/;

const SIGNATURE = /^v1_([A-Za-z0-9_-]{43})$/;

/** The text that was signed, and its signature in base64url. */
interface FileSignature {
  readonly signed: string;
  readonly signature: string;
}

/** A toolbox's request-target, and the signature that was removed from it. */
export interface FileUrlSplit {
  /** The target without `expires` and `signature`, byte for byte otherwise. */
  readonly target: string;
  /** Undefined if the URL is not signed; `invalid` if it has expired, or no key would make it good. */
  readonly signature: FileSignature | "invalid" | undefined;
  /** When it expired by its own words, ms since the epoch; undefined if it has not. */
  readonly endedAt?: number | undefined;
}

/**
 * Takes the signature out of the target of a request to the toolbox, if that is for one of the operations with files;
 * `now` is in ms since the epoch.
 * @example Of `/files/download?path=%2Fa&expires=0&signature=x`, the target is `/files/download?path=%2Fa`
 */
export function splitFileSignature(
  method: string,
  target: string,
  now: number,
): FileUrlSplit {
  const { path, query } = splitQuery(target);
  const signedMethod = OPERATIONS.get(path);
  if (signedMethod === undefined) return { target, signature: undefined };
  const { target: rest } = splitParameter(target, "signature");
  const { target: stripped } = splitParameter(rest, "expires");
  if (stripped === target) return { target, signature: undefined };
  const read = method === signedMethod
    ? signatureOf(method, query.slice(1), now)
    : undefined;
  return read === undefined || "endedAt" in read
    ? { target: stripped, signature: "invalid", ...read }
    : { target: stripped, signature: read };
}

/** The signature in a query, or when it expired; undefined if it is not exactly what is signed. */
function signatureOf(
  method: string,
  query: string,
  now: number,
): FileSignature | { readonly endedAt: number } | undefined {
  const values = valuesOf(query);
  const encoded = values?.get("path") ?? "";
  const path = formDecoded(encoded);
  const expires = values?.get("expires") ?? "";
  const [, signature] = SIGNATURE.exec(values?.get("signature") ?? "") ?? [];
  if (path === undefined || signature === undefined) return undefined;
  if (!PLAIN.test(encoded) || !EXPIRES.test(expires)) return undefined;
  const endsAt = 1000 * Number(expires);
  if (expires !== "0" && now >= endsAt) return { endedAt: endsAt };
  return { signed: `v1:files:${method}:${path}:${expires}`, signature };
}

/** The values by their parameters, undecoded; undefined unless there is each of them once, and nothing else. */
function valuesOf(query: string): ReadonlyMap<string, string> | undefined {
  const pairs = query.split("&");
  const values = new Map(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, Math.max(0, equals)), pair.slice(equals + 1)];
  }));
  const isComplete = pairs.length === PARAMETERS.length &&
    PARAMETERS.every((name) => values.has(name));
  return isComplete ? values : undefined;
}

/** True if the key made the signature (HMAC-SHA256), compared in constant time. */
export async function isSignedBy(
  { signed, signature }: FileSignature,
  signingKey: string,
): Promise<boolean> {
  const bytes = base64url.decode(signature);
  // The last character has two bits to spare, and there must be one spelling only.
  if (base64url.encode(bytes) !== signature) return false;
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(signingKey),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const text = encoder.encode(signed);
  return await crypto.subtle.verify("HMAC", key, new Uint8Array(bytes), text);
}
