/** Build logs: which runner built an image, if the user may see it. Nothing is cached, because logs are rarely read. */
import type {
  DaytonaApi,
  Runner,
  Sandbox,
  Snapshot,
  User,
} from "../../daytona/api.ts";
import { ifUser } from "../../resolver/own/access.ts";

export interface BuildLog {
  readonly runner: Runner;
  /** The name of the image that was built. */
  readonly snapshotRef: string;
}

/** The thing that was built: a snapshot, or a sandbox's own image. */
interface Build {
  readonly of: "snapshot" | "sandbox";
  readonly id: string;
}

type BuildApi = Pick<
  DaytonaApi,
  "sandbox" | "snapshot" | "isOwnedByUser" | "runnerById"
>;

export class BuildResolver {
  readonly #api: BuildApi;

  constructor(api: BuildApi) {
    this.#api = api;
  }

  /** The log of a user's build; null if there is none, or not for the user. Throws as {@linkcode DaytonaApi} does. */
  async logOf({ of, id }: Build, user: User): Promise<BuildLog | null> {
    const asked: Promise<Snapshot | Sandbox | null> = of === "snapshot"
      ? this.#api.snapshot(id, user)
      : this.#api.sandbox(id, user);
    const built = await ifUser(asked, { api: this.#api, user, no: null });
    if (built === null) return null;
    const [snapshotRef, runnerId] = "initialRunnerId" in built
      ? [built.ref, built.initialRunnerId]
      : [built.snapshotRef, built.runnerId];
    if (!snapshotRef || !runnerId) return null;
    const runner = await this.#api.runnerById(runnerId);
    return runner && { runner, snapshotRef };
  }
}
