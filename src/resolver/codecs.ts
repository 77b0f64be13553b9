/** How answers are stored in the durable tier. What others wrote there is validated like the API's answers. */
import { z } from "zod";
import type { Codec } from "../cache/durable_tier.ts";
import type { JsonValue } from "../cache/store.ts";
import { sandboxRef } from "../daytona/models.ts";
import type { Sealer } from "../lib/seal.ts";

/** Stores answers as they are. */
export function plainCodec<V extends JsonValue>(
  schema: z.ZodType<V>,
): Codec<V> {
  return {
    encode: (value) => value,
    decode: (json) => schema.safeParse(json).data,
  };
}

/** Stores answers that contain a secret, which leaves the process only sealed; null contains none. */
export function sealedCodec<V extends object>(
  schema: z.ZodType<V>,
  sealer: Sealer,
): Codec<V | null> {
  return {
    async encode(value, staleUntil) {
      const payload = value as Record<string, unknown> | null;
      return payload && await sealer.seal(payload, staleUntil);
    },
    async decode(json) {
      if (json === null) return null;
      if (typeof json !== "string") return undefined;
      return schema.safeParse(await sealer.open(json)).data;
    },
  };
}

export const booleanCodec: Codec<boolean> = plainCodec(z.boolean());

/** Stores whether somebody has access to a sandbox; null says that it was deleted. */
export const accessCodec: Codec<boolean | null> = plainCodec(
  z.boolean().nullable(),
);

export const sandboxIdCodec: Codec<string | null> = plainCodec(
  sandboxRef.nullable(),
);
