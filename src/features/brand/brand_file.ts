/** What `BRAND_FILE` may say: a mistake in it is told to the operator, and shown to nobody. */
import { parse } from "yaml";
import { z } from "zod";
import type { SettingsFile } from "../../config/settings_file.ts";
import { ERROR_CODES } from "../../error_codes.ts";
import type { Brand } from "../../pages/brand.ts";
import { GROUNDS } from "../../pages/page.ts";
import { contrast } from "./contrast.ts";

/** The least contrast of text (WCAG 2.2, 1.4.3). */
const MIN_CONTRAST = 4.5;

/** Longest logo, bytes: each page has a copy. */
const MAX_LOGO_BYTES = 32_768;

/** What a browser draws as an image. */
const SVG =
  /^\s*(?:<\?xml[^>]*>\s*)?<svg\b[^>]*\sxmlns=["']http:\/\/www\.w3\.org\/2000\/svg["'][^]*<\/svg>\s*$/;

/** In Base64, all begin with the same bytes. */
const PNG = /^iVBORw0KGgo[A-Za-z0-9+/]+={0,2}$/;

function line(max: number) {
  return z.string().trim().min(1).max(max)
    .regex(/^\P{Cc}*$/u, "must be one line");
}

/** A color of text on any of these, and of what they are text on. */
function colorOn(grounds: readonly string[]) {
  const backs = grounds.join(" and ");
  return z.string().regex(/^#[0-9a-f]{6}$/i, {
    error: "must be a color such as #2456c9",
    abort: true,
  }).refine(
    (color) => grounds.every((it) => contrast(color, it) >= MIN_CONTRAST),
    `must have a contrast of ${MIN_CONTRAST} or more to ${backs}`,
  );
}

/** The `data:` URL of a logo: an `<img>` runs no script in it, and loads nothing for it (SVG 2, section 2.2.6). */
function logoUrl(logo: string): string | undefined {
  const isSvg = SVG.test(logo);
  const base64 = isSvg
    ? new TextEncoder().encode(logo).toBase64()
    : logo.replace("data:image/png;base64,", "").replace(/\s/g, "");
  const length = Math.floor(base64.replace(/=+$/, "").length * 3 / 4);
  return length <= MAX_LOGO_BYTES && (isSvg || PNG.test(base64))
    ? `data:image/${isSvg ? "svg+xml" : "png"};base64,${base64}`
    : undefined;
}

const language = z.string().regex(/^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i)
  .toLowerCase();
const text = z.strictObject({
  title: line(100).exactOptional(),
  detail: line(600).exactOptional(),
  hint: line(600).exactOptional(),
});

const brand = z.strictObject({
  name: line(60),
  logo: z.string().transform(logoUrl).pipe(z.string(
    "must be an SVG with its xmlns, or a PNG in Base64, of 32 KiB at most",
  )).exactOptional(),
  colors: z.strictObject({
    light: colorOn(GROUNDS.light),
    dark: colorOn(GROUNDS.dark),
  }).exactOptional(),
  help: z.url({ protocol: /^https$/, normalize: true }).exactOptional(),
  texts: z.partialRecord(z.enum(ERROR_CODES), z.record(language, text))
    .exactOptional(),
});

/** The file; JSON is YAML, too. */
export function brandFile(path: string): SettingsFile<Brand> {
  return { path, parse, schema: brand };
}
