/** Handles of what lasts: by these, an upload, a download or a tunnel is ended, and asked whether it may go on. */
import type { AbortReason } from "../downstream/ends.ts";

/** What of a sandbox somebody was admitted to. */
export interface Served {
  readonly sandboxId: string;
  /** Whose sandbox it is; undefined unless the API has told, and the request went there. */
  readonly organizationId: string | undefined;
  /** The name that was asked for, with its port; undefined if none was. */
  readonly name: string | undefined;
}

/** Controls an upload, a download or a tunnel while it lasts. */
export interface StreamHandle {
  /** Ends it from our side. */
  abort(reason: AbortReason): void;
  /** Since when the client has not read what is ready for it, ms by `performance.now()`; undefined if nothing is. */
  stalledSince?(): number | undefined;
  /** True if the caller still has access. Never rejects. */
  recheck(): Promise<boolean>;
  /** What is sent or received, as far as is known now; undefined if it is nothing of a sandbox. */
  served?(): Served | undefined;
  /** The sandbox that admitted the caller by being public; undefined for any other reason. */
  readonly publicSandbox?: string | undefined;
  /** The name that was asked for, with its port; undefined if none was. */
  readonly name?: string | undefined;
  /** Ends what must begin anew where its name leads now; undefined if it may go on. */
  readonly move?: (() => void) | undefined;
}

/** The name that was asked for, without a port; empty if none was. */
export function hostOf({ name = "" }: Pick<StreamHandle, "name">): string {
  return name.replace(/:[0-9]+$/, "");
}
