/** Build logs: which runner built an image, if the user may see it. Nothing is cached, because logs are rarely read. */
import type { DaytonaApi, Runner, User } from "../../daytona/api.ts";
import { ifUser } from "./access.ts";

/** The location of a build log. */
export interface BuildLog {
  readonly runner: Runner;
  /** The name of the image that was built. */
  readonly snapshotRef: string;
}

/** The thing that was built: a snapshot, or a sandbox's own image. */
export interface Build {
  readonly of: "snapshot" | "sandbox";
  readonly id: string;
}

type BuildApi = Pick<
  DaytonaApi,
  "sandbox" | "snapshot" | "isOwnedByUser" | "runnerById"
>;

/** Finds build logs. */
export class BuildResolver {
  readonly #api: BuildApi;

  constructor(api: BuildApi) {
    this.#api = api;
  }

  /**
   * The log of one of the user's builds; null if there is none, or the user may not see it.
   * @throws {GatewayError} as {@linkcode DaytonaApi}
   */
  async logOf(build: Build, user: User): Promise<BuildLog | null> {
    const asked = this.#imageOf(build, user);
    const image = await ifUser(asked, { api: this.#api, user, no: null });
    const [snapshotRef, runnerId] = image ?? [];
    if (!snapshotRef || !runnerId) return null;
    const runner = await this.#api.runnerById(runnerId);
    return runner && { runner, snapshotRef };
  }

  async #imageOf(
    { of, id }: Build,
    user: User,
  ): Promise<[ref: string | null, runnerId: string | null] | null> {
    if (of === "snapshot") {
      const snapshot = await this.#api.snapshot(id, user);
      return snapshot && [snapshot.ref, snapshot.initialRunnerId];
    }
    const sandbox = await this.#api.sandbox(id, user);
    return sandbox && [sandbox.snapshotRef, sandbox.runnerId];
  }
}
