/** How much of the header counts, characters: browsers send some 50. */
const MAX_LENGTH = 500;

/**
 * Which of some languages, in lower case, a visitor prefers (Accept-Language, RFC 9110 section 12.5.4); one also stands for
 * its varieties (RFC 4647 section 3.4).
 *
 * @example `preferredLanguage("de-AT, en;q=0.5", new Set(["de", "en"]))` is `"de"`
 */
export function preferredLanguage(
  header: string | null,
  languages: ReadonlySet<string>,
): string | undefined {
  const text = header?.slice(0, MAX_LENGTH).toLowerCase().replace(/\s/g, "");
  const ranges = (text ?? "").split(",").map((item) => {
    const [range = "", weight = "1"] = item.split(";q=");
    return { range, weight: Number(weight) };
  }).filter(({ weight }) => weight > 0);
  for (const { range } of ranges.sort((a, b) => b.weight - a.weight)) {
    for (let tag = range; tag !== ""; tag = tag.replace(/(?:^|-)[^-]*$/, "")) {
      if (languages.has(tag)) return tag;
    }
  }
  return undefined;
}
