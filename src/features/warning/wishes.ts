/** Whether visitors are to be warned before a sandbox's previews, as its organization wishes. */
import type { DaytonaApi } from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import {
  booleanCodec,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../../resolver/lookup_cache.ts";

/** Asks the API about the warning, and caches its answers. */
export class WarningResolver {
  readonly #api: Pick<DaytonaApi, "wantsPreviewWarning">;
  readonly #wishes: LookupCache<boolean>;

  constructor(
    api: Pick<DaytonaApi, "wantsPreviewWarning">,
    options: LookupCacheOptions,
  ) {
    this.#api = api;
    this.#wishes = new LookupCache("preview-warning", booleanCodec, options);
  }

  /**
   * False only if the API says that no warning is wanted. It is not rate-limited, so it is only for admitted requests;
   * `onMiss` is called before a lookup that goes beyond the process.
   */
  async isWanted(sandboxId: string, onMiss: () => void): Promise<boolean> {
    const ask = async () =>
      await this.#api.wantsPreviewWarning(sandboxId) ?? true;
    try {
      return await this.#wishes.lookUp(sandboxId, ask, UNMETERED, onMiss);
    } catch (error) {
      if (error instanceof GatewayError) return true;
      throw error;
    }
  }
}
