const encoder = new TextEncoder();

/** The size of a value as JSON, octets. */
export function jsonBytes(value: string | readonly string[]): number {
  return encoder.encode(JSON.stringify(value)).length;
}

/** The first of some texts that have up to `maxBytes` octets together, as JSON. */
export function fitting(texts: readonly string[], maxBytes: number): string[] {
  let left = maxBytes - 1; // for brackets; each has a comma or the second one
  return texts.filter((text) => (left -= jsonBytes(text) + 1) >= 0);
}
