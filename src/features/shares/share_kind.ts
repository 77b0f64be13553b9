/** Share links as records: what a member asks for, what is kept, and what is told of it. */
import { z } from "@hono/zod-openapi";
import {
  ASKED_OF_ALL,
  MAX_LIFE_SEC,
  pathField,
  portField,
} from "../../control/api/fields.ts";
import { invalid } from "../../control/api/json_body.ts";
import { describeRecords } from "../../control/api/record_descriptions.ts";
import { keptForm, type RecordKind } from "../../control/api/record_routes.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { joinParts } from "../../lib/digest.ts";
import type { SecretHashes } from "../../lib/secret_hashes.ts";
import { storedObject } from "../../records/form.ts";

/** The life of one for which none is asked for, seconds: 7 days. */
const DEFAULT_LIFE_SEC = 604_800;

/** What a member asks for, where that is the longest life. */
function askedWithin(maxLifeSec: number) {
  return z.strictObject({
    sandbox: ASKED_OF_ALL.sandbox,
    port: portField,
    path: pathField.describe("What its visitors see first, of that port."),
    expiresInSec: z.number().int().min(1).max(maxLifeSec)
      .default(Math.min(DEFAULT_LIFE_SEC, maxLifeSec))
      .describe("`SHARE_MAX_SEC` at most, asked for or not."),
    passcode: z.string().min(6).max(100).optional().describe(
      "What visitors have to know besides.",
    ),
    emails: z.array(z.email().max(254).toLowerCase()).min(1).max(50).optional()
      .describe("Who may open it, by a login that has verified the address."),
    uses: z.number().int().min(1).max(10_000).optional().describe(
      "How often it may be opened.",
    ),
    note: ASKED_OF_ALL.note,
  });
}

type AskedShare = z.output<ReturnType<typeof askedWithin>>;

/** What is kept of a share, and told. */
const TOLD = {
  port: z.number(),
  path: z.string(),
  /** In lower case; null for anybody. */
  emails: z.array(z.string()).nullable(),
  /** Null for any number. */
  uses: z.number().nullable(),
  usesLeft: z.number().nullable(),
};

/** Of its secrets, keyed hashes are kept; null if it has no passcode. */
const keptShare = storedObject({
  ...TOLD,
  /** True after too many wrong passcodes. */
  isShut: z.boolean().default(false),
  secretHash: z.string(),
  passcodeHash: z.string().nullable(),
});

export type KeptShare = z.output<typeof keptShare>;

/** Shares in the store. */
export const SHARES = keptForm("shares", keptShare);

interface ShareKindParts extends Pick<FeatureParts, "scheme"> {
  readonly login: Pick<FeatureParts["login"], "state">;
  readonly hashes: Pick<SecretHashes, "of">;
  readonly maxLifeSec: number;
}

/** What is hashed of a share: a text, for one use, however a keyboard composes its letters. */
export function bytesOf(
  use: "secret" | "passcode" | "client",
  id: string,
  text: string,
): Uint8Array {
  return new TextEncoder().encode(joinParts([use, id, text.normalize()]));
}

/** The kind. */
export function shareKind(
  { scheme, login, hashes, maxLifeSec }: ShareKindParts,
): RecordKind<AskedShare, KeptShare> {
  return {
    form: SHARES,
    via: "share",
    asked: askedWithin(maxLifeSec),
    make({ port, path, passcode, emails = null, uses = null }, place) {
      const { id, authority } = place;
      if (emails !== null && login.state === "off") {
        const message = "cannot be: nobody can log in at this gateway";
        throw invalid([{ path: "/emails", message }], "No login");
      }
      const secret = crypto.getRandomValues(new Uint8Array(32))
        .toBase64({ alphabet: "base64url", omitPadding: true });
      const secretHash = hashes.of(bytesOf("secret", id, secret));
      const passcodeHash = passcode === undefined
        ? null
        : hashes.of(bytesOf("passcode", id, passcode));
      const told = { port, path, emails, uses, usesLeft: uses };
      return {
        data: { ...told, isShut: false, secretHash, passcodeHash },
        // In the fragment, which browsers send nowhere.
        toldOnce: { url: `${scheme}://${authority}/s/${id}#${secret}` },
      };
    },
    // By name: what a newer gateway has added may be a secret.
    tell: ({ port, path, emails, uses, usesLeft, isShut, ...own }) => ({
      port,
      path,
      emails,
      uses,
      usesLeft,
      hasPasscode: own.passcodeHash !== null,
      isShut,
    }),
  };
}

/** The descriptions of the routes of the API. */
export const SHARE_RECORD_ROUTES = describeRecords({
  name: SHARES.name,
  one: "share link",
  description:
    "Whoever presses the button of its page opens a port of the sandbox, and nothing else. Unless `SHARES` is `off`.",
  asked: askedWithin(MAX_LIFE_SEC),
  told: {
    ...TOLD,
    hasPasscode: z.boolean(),
    isShut: z.boolean().describe(
      "True after 500 wrong passcodes: it opens nothing any more.",
    ),
  },
  toldOnce: {
    url: z.string().describe("The link, which is not told again."),
  },
});
