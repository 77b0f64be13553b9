/** Embeds as records: what a member asks for, what is kept, and what is told of it. */
import { z } from "@hono/zod-openapi";
import type { FrameTerms } from "../../auth/grants.ts";
import {
  ancestorsField,
  ASKED_OF_ALL,
  pathField,
  portField,
} from "../../control/api/fields.ts";
import { keptForm, type RecordKind } from "../../control/api/record_routes.ts";
import { storedObject } from "../../records/form.ts";
import type { EmbedCodes } from "./embed_codes.ts";

const BRIDGED = z.array(z.enum(["errors", "console", "navigation"]));

/** What a member asks for. */
export const ASKED_EMBED = z.strictObject({
  sandbox: ASKED_OF_ALL.sandbox,
  port: portField,
  path: pathField.describe("What the frame shows first, of that port."),
  ancestors: ancestorsField.describe(
    "The origins whose pages may show it: `https`, or `http` on this machine.",
  ),
  ttlSec: z.number().int().min(60).max(86_400),
  frame: z.enum(["replace", "keep"]).default("replace").describe(
    "What becomes of the app's own word on who may frame it.",
  ),
  cookies: z.enum(["partition", "keep"]).default("partition").describe(
    "Whether the app's cookies are made ones for such frames.",
  ),
  isolate: z.enum(["require-corp", "credentialless"]).optional().describe(
    "A Cross-Origin-Embedder-Policy for the app's pages.",
  ),
  bridge: BRIDGED.min(1).max(3).optional().describe(
    "What the app's pages tell; unless `EMBED_BRIDGE` is false.",
  ),
  note: ASKED_OF_ALL.note,
});

/** What is told of one. */
export const TOLD_EMBED = {
  port: z.number(),
  path: z.string(),
  ancestors: z.array(z.string()),
  ttlSec: z.number(),
  frame: z.string(),
  cookies: z.string(),
  isolate: z.string().nullable(),
  bridge: BRIDGED,
};

type Asked = z.output<typeof ASKED_EMBED> & { readonly expiresInSec: number };

/** What is kept of an embed. */
const keptEmbed = storedObject({
  port: z.number(),
  path: z.string(),
  ttlSec: z.number(),
  terms: storedObject(
    {
      ancestors: z.array(z.string()),
      frame: z.enum(["replace", "keep"]),
      cookies: z.enum(["partition", "keep"]),
      isolate: z.enum(["require-corp", "credentialless"]).nullable(),
      bridge: BRIDGED,
    } satisfies Record<keyof FrameTerms, z.ZodType>,
  ),
});

type KeptEmbed = z.output<typeof keptEmbed>;

/** Embeds in the store. */
export const EMBEDS = keptForm("embeds", keptEmbed);

/** The kind; without a bridge, nobody can ask for one. */
export function embedKind(
  codes: Pick<EmbedCodes, "linksTo">,
  hasBridge: boolean,
): RecordKind<Asked, KeptEmbed> {
  return {
    form: EMBEDS,
    via: "embed",
    asked: ASKED_EMBED
      .refine(({ bridge }) => hasBridge || bridge === undefined, {
        path: ["bridge"],
        message: "must not be there: the gateway's EMBED_BRIDGE is false",
      })
      .transform((all) => ({ ...all, expiresInSec: all.ttlSec })),
    async make(asked, place) {
      const { port, path, ttlSec, ancestors } = asked;
      const { frame, cookies, isolate = null, bridge = [] } = asked;
      const terms = { ancestors, frame, cookies, isolate, bridge };
      return {
        data: { port, path, ttlSec, terms },
        toldOnce: await codes.linksTo({ ...place, port, ancestors }),
      };
    },
    tell: ({ terms, ...rest }) => ({ ...rest, ...terms }),
  };
}
