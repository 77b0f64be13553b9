const JWT = /^([\w-]+)\.([\w-]+)\.[\w-]+$/;

/** The header or the claims of a JWT (RFC 7519 section 3), which nobody has verified; undefined if the text is none. */
export function jwtPart(
  jwt: string,
  part: "header" | "claims",
): Readonly<Record<string, unknown>> | undefined {
  const [, header, claims] = JWT.exec(jwt) ?? [];
  const encoded = part === "header" ? header : claims;
  if (encoded === undefined) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}
