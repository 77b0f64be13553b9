/** Machine tokens as records: what a member asks for, what is kept, and what is told of it. */
import { z } from "@hono/zod-openapi";
import {
  ASKED_OF_ALL,
  methodsField,
  portsField,
  timeField,
  timeOf,
} from "../../control/api/fields.ts";
import { describeRecords } from "../../control/api/record_descriptions.ts";
import { keptForm, type RecordKind } from "../../control/api/record_routes.ts";
import type { SecretHashes } from "../../lib/secret_hashes.ts";
import { storedObject } from "../../records/form.ts";
import { newToken } from "./token_secret.ts";

const SCOPE = { ports: portsField, methods: methodsField.optional() };

const asked = z.strictObject({ ...ASKED_OF_ALL, ...SCOPE });

/** What is kept of a token: of its secret, a keyed hash. */
const keptToken = storedObject({
  ports: z.array(z.number()),
  /** Null for all. */
  methods: z.array(z.string()).nullable(),
  secretHash: z.string(),
  /** Milliseconds since the epoch; null before the first use. */
  lastUsedAt: z.number().nullable(),
});

export type KeptToken = z.output<typeof keptToken>;

/** Tokens in the store. */
export const TOKENS = keptForm("tokens", keptToken);

/** The kind, whose secrets are kept by these hashes. */
export function tokenKind(
  hashes: SecretHashes,
): RecordKind<z.output<typeof asked>, KeptToken> {
  return {
    form: TOKENS,
    via: "token",
    asked,
    make({ ports, methods = null }, { id }) {
      const { token, bytes } = newToken(id);
      const secretHash = hashes.of(bytes);
      return {
        data: { ports, methods, secretHash, lastUsedAt: null },
        toldOnce: { token },
      };
    },
    tell: ({ ports, methods, lastUsedAt }) => ({
      ports,
      methods,
      lastUsedAt: lastUsedAt === null ? null : timeOf(lastUsedAt),
    }),
  };
}

/** The descriptions of their routes. */
export const TOKEN_ROUTES = describeRecords({
  name: TOKENS.name,
  one: "machine token",
  description:
    "It opens the ports of the sandbox, as `X-Porthole-Token` or as `porthole_token` in the query, and nothing else. " +
    "Without `methods`, for all. Unless `MACHINE_TOKENS` is `off`.",
  asked,
  told: {
    ports: z.array(z.number()),
    methods: z.array(z.string()).nullable(),
    lastUsedAt: timeField.nullable().describe(
      "The last use that was noted: one in an hour is.",
    ),
  },
  toldOnce: {
    token: z.string().describe("The secret, which is not told again."),
  },
});
