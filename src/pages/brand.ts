/** An operator's brand on our pages: each is dressed as it leaves, at two places of the layout. */
import { Buffer } from "node:buffer";
import type { ErrorCode } from "../error_codes.ts";
import { preferredLanguage } from "../http/accept_language.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { loggerFor } from "../observability/log.ts";
import type { ErrorText } from "./error_texts.ts";
import { escapeHtml } from "./html.ts";
import { STYLE_SOURCE } from "./page.ts";
import { pageScript } from "./script.ts";

const logger = loggerFor("brand");
const encoder = new TextEncoder();

/** What an operator says of a product, as text. */
export interface Brand {
  readonly name: string;
  /** The `data:` URL of an image. */
  readonly logo?: string;
  /** Of links and buttons by color scheme, as in `#2456c9`. */
  readonly colors?: { readonly light: string; readonly dark: string };
  /** The https URL of help. */
  readonly help?: string;
  /** What takes the place of our texts of errors, by code, and by language in lower case. */
  readonly texts?: {
    readonly [C in ErrorCode]?: Readonly<Record<string, Partial<ErrorText>>>;
  };
}

/** The brand in force, which may change. */
export type CurrentBrand = () => Brand | undefined;

/** The text for one visitor. */
export interface GivenText extends Partial<ErrorText> {
  readonly language: string;
  /** True if others get another one. */
  readonly varies: boolean;
}

/** What a brand says of an error, in the language that a visitor prefers; our own texts are English. */
export function givenText(
  brand: CurrentBrand | undefined,
  code: ErrorCode,
  headers: Pick<RequestHeaders, "get">,
): GivenText | undefined {
  const texts = brand?.()?.texts?.[code];
  if (texts === undefined) return undefined;
  const languages = new Set(["en", ...Object.keys(texts)]);
  const accepted = headers.get("accept-language");
  const language = preferredLanguage(accepted, languages) ?? "en";
  const text = texts[language];
  const hint = text?.hint !== undefined && { buttonHint: text.hint };
  return { ...text, ...hint, language, varies: languages.size > 1 };
}

/** Where the main part begins; on a page that names our product there, the operator's takes its place. */
const TOP =
  /(<\/head>\n<body>\n<main[^>]*>\n)(?:<p class="status[^>]*>(?:<svg.*<\/svg> )?Porthole<\/p>\n)?/;

const END = "\n</main>\n</body>";

/** What each brand adds to a page: to escape, hash and encode it takes longer than all the rest. */
const dresses = new WeakMap<Brand, ReturnType<typeof dressOf>>();

/** The response as it leaves: with the brand if it is a page. */
export function dressed(
  response: Response,
  current: CurrentBrand | undefined,
): Response | Promise<Response> {
  const brand = current?.();
  if (brand === undefined || !response.body) return response;
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  return isPage ? dressedPage(response, brand) : response;
}

async function dressedPage(
  response: Response,
  brand: Brand,
): Promise<Response> {
  const dress = dresses.get(brand) ?? dressOf(brand);
  dresses.set(brand, dress);
  const { style, top, end } = dress;
  const plain = await response.text();
  const place = TOP.exec(plain);
  if (place === null || !plain.includes(END)) {
    logger.error("page has no place for the brand");
    return new Response(plain, response);
  }
  const { 0: replaced, 1: start, index } = place;
  const before = `${
    plain.slice(0, index)
  }<style>${style.text}</style>\n${start}`;
  const after = plain.slice(index + replaced.length)
    .replace(END, () => end + END);
  const html = [encoder.encode(before), top, encoder.encode(after)];
  const page = new Response(Buffer.concat(html), response);
  const policy = response.headers.get("content-security-policy") ?? "";
  page.headers.set(
    "content-security-policy",
    policy.replace(STYLE_SOURCE, `${STYLE_SOURCE} ${style.source}`),
  );
  return page;
}

function dressOf({ name, logo, colors, help }: Brand) {
  const image = logo && `<img src="${escapeHtml(logo)}" alt=""> `;
  const link = help && `
<p class="note help"><a href="${
    escapeHtml(help)
  }" target="_blank" rel="noopener">Help</a></p>`;
  const accent = colors && `:root { --accent: ${colors.light} }
@media (prefers-color-scheme: dark) { :root { --accent: ${colors.dark} } }`;
  return {
    style: pageScript(`${accent ?? ""}
.brand img { height: 1.75em; max-width: 100%; object-fit: contain; vertical-align: middle }
.help { margin: 1.5rem 0 0 }`),
    top: encoder.encode(
      `<p class="status brand">${image ?? ""}${escapeHtml(name)}</p>\n`,
    ),
    end: link ?? "",
  };
}
