/** Looks at previews for all who ask: however many wait for one, it is looked at once, and not again at once. */
import { SingleFlight } from "../cache/single_flight.ts";
import { Lru } from "../lib/lru.ts";
import type {
  PreviewPort,
  PreviewProbe,
  PreviewSight,
} from "./preview_probe.ts";

/** Time from the beginning of one look to that of the next, ms: who waits hears within a second. */
const PACE_MS = 750;

/** Most previews of which the latest look is kept. */
const MAX_KEPT = 1000;

/** What was seen, and when it is time to look again, ms since the epoch. */
export interface Look extends PreviewSight {
  readonly nextAt: number;
}

/** The latest looks. */
export class PreviewLooks {
  readonly #probe: Pick<PreviewProbe, "look">;
  readonly #now: () => number;
  readonly #underWay = new SingleFlight<Look>();
  readonly #latest = new Lru<string, Look>({ max: MAX_KEPT });

  constructor(probe: Pick<PreviewProbe, "look">, now: () => number) {
    this.#probe = probe;
    this.#now = now;
  }

  /** What a preview shows, as of less than a second ago. */
  async at(preview: PreviewPort): Promise<Look> {
    const key = `${preview.sandboxId}:${preview.port}`;
    const latest = this.#latest.get(key);
    if (latest !== undefined && this.#now() < latest.nextAt) return latest;
    return await this.#underWay.share(key, async () => {
      const nextAt = this.#now() + PACE_MS;
      const look = { ...await this.#probe.look(preview), nextAt };
      this.#latest.set(key, look);
      return look;
    });
  }
}
