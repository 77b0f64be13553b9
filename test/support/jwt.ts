/** A JWT (RFC 7519) that claims an issuer, or none, and that nobody has signed. */
export function jwtOf(issuer: string | undefined): string {
  const parts = [{ alg: "RS256" }, { iss: issuer }].map((part) =>
    new TextEncoder().encode(JSON.stringify(part))
      .toBase64({ alphabet: "base64url", omitPadding: true })
  );
  return [...parts, "c2ln"].join(".");
}
