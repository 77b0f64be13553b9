import { z } from "zod";
import type { components } from "../../gen/daytona.ts";
import {
  isBearer,
  isSandboxRef,
  mayBePreviewToken,
} from "../address/grammar.ts";
import { withoutTrailingSlashes } from "../http/url.ts";

/** The members of a response body: a schema for each that openapi/daytona.yaml lists. */
export type Shape<Name extends keyof components["schemas"]> = Record<
  keyof components["schemas"][Name],
  z.ZodType
>;

/** Reads the id of a sandbox or snapshot, or a signed preview token. */
export const sandboxRef: z.ZodType<string> = z.string().refine(isSandboxRef);

const baseUrl = z.string().refine(isBaseUrl).transform(withoutTrailingSlashes);
const optionalText = z.string().nullish().transform((text) => text || null);

const optionalTime = optionalText.transform((text) => Date.parse(text ?? ""));

const optionalUrl = z.literal("").or(baseUrl).nullish()
  .transform((url) => url || null);

const labels = z.record(z.string(), z.string()).nullish()
  .transform((labels) => labels ?? {});

export const runnerRecordAnswer = z.object(
  {
    /** If the API tells it. */
    id: z.string().nullish(),
    /** Base URL of previews and toolbox calls; http or https, without credentials. */
    proxyUrl: optionalUrl,
    /** Base URL of the runner's own API (build logs); null if the runner has not announced one. */
    apiUrl: optionalUrl,
    /** The id of its region, if the API tells it. */
    region: z.string().nullish(),
    /** A secret: it gives access to the whole runner. */
    apiKey: z.string().refine(isBearer),
  } satisfies Shape<"Runner">,
);

/** The API's record of a {@linkcode Runner}, which may not have reported yet where it is. */
export type RunnerRecord = Readonly<z.output<typeof runnerRecordAnswer>>;

/** A machine that holds sandboxes. The URLs have no trailing slash. */
export interface Runner extends Omit<RunnerRecord, "proxyUrl" | "region"> {
  readonly proxyUrl: string;
}

export const runnerAnswer: z.ZodType<Runner> = runnerRecordAnswer.extend({
  proxyUrl: baseUrl,
});

export const sandboxAnswer = z.object(
  {
    id: optionalText,
    organizationId: optionalText,
    public: z.boolean().nullish().transform((is) => is ?? null),
    /** Such as `started`; openapi/daytona.yaml lists the known ones, and others may come. */
    state: optionalText,
    /** The state that the API is about to bring it to. */
    desiredState: optionalText,
    /** In the runner's own words, which are for members of the organization only. */
    errorReason: optionalText,
    /** True if it can be recovered from the state `error`. */
    recoverable: z.boolean().nullish().transform((is) => is ?? false),
    labels,
    runnerId: optionalText,
    spotEvictedAt: optionalTime,
    queueTimedOutAt: optionalTime,
    buildInfo: z.object(
      { snapshotRef: optionalText } satisfies Shape<"BuildInfo">,
    ).nullish(),
  } satisfies Shape<"Sandbox">,
).transform(({ buildInfo, spotEvictedAt, queueTimedOutAt, ...facts }) => ({
  ...facts,
  /** How Daytona has ended it by itself, which is for members, and when, ms since the epoch; null if it has not. */
  ended: spotEvictedAt > 0
    ? { code: "sandbox_evicted", endedAt: spotEvictedAt } as const
    : queueTimedOutAt > 0
    ? { code: "sandbox_not_placed", endedAt: queueTimedOutAt } as const
    : null,
  /** The image that was built for it; null if none was. */
  snapshotRef: buildInfo?.snapshotRef ?? null,
}));

/** The facts about a sandbox that a gateway needs; null for each that the API does not tell. */
export type Sandbox = Readonly<z.output<typeof sandboxAnswer>>;

export const previewUrlAnswer = z.object(
  {
    sandboxId: z.string(),
    url: z.string().refine(isBaseUrl),
    /** A secret: it opens all ports of the sandbox. */
    token: z.string().refine(mayBePreviewToken),
  } satisfies Shape<"PortPreviewUrl">,
);

/** Where a port of a sandbox is to be seen at a Daytona that somebody else runs, and the token that opens it. */
export type PreviewUrl = Readonly<z.output<typeof previewUrlAnswer>>;

/** Reads the addresses of the proxies of regions that have one of their own. */
export const regionProxyUrlsAnswer: z.ZodType<readonly string[]> = z
  .array(z.object({ proxyUrl: optionalText } satisfies Shape<"Region">))
  .transform((regions) =>
    regions.flatMap(({ proxyUrl }) => proxyUrl === null ? [] : [proxyUrl])
  );

const deleted = z.object(
  { code: z.literal("SANDBOX_DESTROYED") } satisfies Shape<"Refusal">,
);

/** True if a refusal's body says that the sandbox was deleted, which only members of its organization are told. */
export function saysDeleted(refusal: unknown): boolean {
  return deleted.safeParse(refusal).success;
}

/** Reads a signing key, as JSON or bare; a page, or an object, that some server has for every path is none. */
export const signingKeyText: z.ZodType<string> = z.string()
  .transform((text) => text.replace(/^"(.*)"$/, "$1"))
  .pipe(z.string().regex(/^[\w+/=.:~-]{8,512}$/));

export const previewWarningAnswer: z.ZodType<boolean> = z.object(
  { enabled: z.boolean() } satisfies Shape<"PreviewWarning">,
).transform(({ enabled }) => enabled);

export const snapshotAnswer = z.object(
  {
    ref: optionalText,
    /** The runner that built it. */
    initialRunnerId: optionalText,
  } satisfies Shape<"Snapshot">,
);

/** The facts about a snapshot that build logs need. */
export type Snapshot = Readonly<z.output<typeof snapshotAnswer>>;

/** True if the text is a base URL: it is extended by concatenation, so nothing may follow its path. */
function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\/[^?#\s\\]+$/i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === "" && url.password === "";
}
