import { z } from "zod";
import type { components } from "../../gen/daytona.ts";
import { withoutTrailingSlashes } from "../lib/slashes.ts";
import { isBearer } from "./grammar.ts";

/** The fields of an answer, one reader for each that openapi/daytona.yaml names. */
type Shape<Name extends keyof components["schemas"]> = Record<
  keyof components["schemas"][Name],
  z.ZodType
>;

/** A machine that holds sandboxes. The URLs have no trailing slash. */
export interface Runner {
  readonly id: string;
  /** Base of previews and toolbox calls; http or https, without credentials. */
  readonly proxyUrl: string;
  /** Base of the runner's own API (build logs), or null where the runner has announced none. */
  readonly apiUrl: string | null;
  /** Opens the whole runner: a secret. */
  readonly apiKey: string;
}

/** What is read of a sandbox, as its owner sees it. */
export interface Sandbox {
  readonly runnerId: string | null;
  /** The image that was built for it, or null where nothing was built. */
  readonly snapshotRef: string | null;
}

/** What is read of a snapshot, as its owner sees it. */
export interface Snapshot {
  readonly ref: string | null;
  /** The runner that built it. */
  readonly initialRunnerId: string | null;
}

const baseUrl = z.string().refine(isBaseUrl).transform(withoutTrailingSlashes);
const optionalText = z.string().nullish().transform((text) => text || null);

/** Reads a {@linkcode Runner}. */
export const runnerAnswer: z.ZodType<Runner> = z.object(
  {
    id: z.string().min(1),
    proxyUrl: baseUrl,
    apiUrl: z.literal("").or(baseUrl).nullish().transform((url) => url || null),
    apiKey: z.string().refine(isBearer),
  } satisfies Shape<"Runner">,
);

/** Reads a {@linkcode Sandbox}. */
export const sandboxAnswer: z.ZodType<Sandbox> = z.object(
  {
    runnerId: optionalText,
    buildInfo: z.object(
      { snapshotRef: optionalText } satisfies Shape<"BuildInfo">,
    ).nullish(),
  } satisfies Shape<"Sandbox">,
).transform(({ runnerId, buildInfo }) => ({
  runnerId,
  snapshotRef: buildInfo?.snapshotRef ?? null,
}));

/** Reads a {@linkcode Snapshot}. */
export const snapshotAnswer: z.ZodType<Snapshot> = z.object(
  {
    ref: optionalText,
    initialRunnerId: optionalText,
  } satisfies Shape<"Snapshot">,
);

/** A base is extended by concatenation, so nothing may follow its path. */
function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\/[^?#\s\\]+$/i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === "" && url.password === "";
}
