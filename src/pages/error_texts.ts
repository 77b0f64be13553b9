/** The texts that people read about each error, from error_texts.json and those of features: the event, and their remedy. */
import { FEATURE_TEXTS } from "../../gen/facts.ts";
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { ErrorAdvice, ErrorCode, FrameCause } from "../errors.ts";
import type { WrittenText } from "../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

/** A text whole, which tells of the request its port, and nothing of the machines behind. */
export interface ErrorText extends WrittenText {
  readonly hint: string;
}

/** What is known of an error besides its code. */
interface ErrorContext {
  readonly port?: number | undefined;
  readonly name?: string | undefined;
  readonly domain?: string | undefined;
  readonly advice?: Pick<ErrorAdvice, "frameCause" | "ancestors">;
}

/**
 * The texts of all codes; `{port}` in a detail stands for the port, `{preview}` for its name where it was asked for by one,
 * `{domain}` in a hint for the base domain, `{host}` in a link for its host.
 */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, WrittenText>> = {
  ...texts.codes,
  ...FEATURE_TEXTS,
};

/** What is said of `frame_refused` where its cause is known. */
const FRAME_CAUSES: Readonly<
  Record<FrameCause, Pick<ErrorText, "detail" | "hint">>
> = texts.frame_causes;

/** The text of a code, about a port of a sandbox, or its name, and below a base domain where these are known. */
export function errorText(
  code: ErrorCode,
  context: ErrorContext = {},
): ErrorText {
  const { port, name, domain = "preview.example.com" } = context;
  const special = specialText(code, context);
  const { detail, hint = "Try again in a few seconds.", ...text } = {
    ...ERROR_TEXTS[code],
    ...special,
  };
  const place = port === undefined
    ? "this port"
    : port === TOOLBOX_PORT
    ? "the toolbox"
    : `port ${port}`;
  return {
    ...text,
    detail: detail.replace("{port}", place)
      .replace("{preview}", () => name ?? place),
    hint: hint.replace("{domain}", () => domain),
  };
}

/** What is said of one case of an error in place of what its code says of all. */
export function specialText(
  code: ErrorCode,
  { port, advice: { frameCause, ancestors } = {} }: ErrorContext,
): Partial<WrittenText> | undefined {
  // A toolbox is private even where the previews of its sandbox are public.
  if (code === "login_required" && port === TOOLBOX_PORT) {
    return texts.toolbox_private;
  }
  // In a frame that its grant has opened.
  if (code === "grant_invalid" && ancestors?.length) return texts.frame_ended;
  if (code !== "frame_refused" || frameCause === undefined) return undefined;
  return FRAME_CAUSES[frameCause];
}
