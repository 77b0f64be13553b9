/** A JWT (RFC 7519) that claims an issuer, or none, and perhaps when it ends, in s; nobody has signed it. */
export function jwtOf(issuer: string | undefined, exp?: number): string {
  const parts = [{ alg: "RS256" }, { iss: issuer, exp }].map((part) =>
    new TextEncoder().encode(JSON.stringify(part))
      .toBase64({ alphabet: "base64url", omitPadding: true })
  );
  return [...parts, "c2ln"].join(".");
}
