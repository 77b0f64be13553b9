/** Build logs: which runner built an image, if the user may see it. Nothing is cached, because logs are rarely read. */
import type { DaytonaApi, Runner, User } from "../daytona/api.ts";

/** The location of a build log. */
export interface BuildLog {
  readonly runner: Runner;
  /** The name of the image that was built. */
  readonly snapshotRef: string;
}

/** What was built: a snapshot, or a sandbox's own image. */
export interface Build {
  readonly of: "snapshot" | "sandbox";
  readonly id: string;
}

/** Finds build logs. */
export interface BuildResolver {
  /**
   * The log of one of the user's builds; null if there is none, or the user may not see it.
   *
   * @throws {GatewayError} `api_unreachable`
   */
  logOf(build: Build, user: User): Promise<BuildLog | null>;
}

/** Creates the directory, which asks the API. */
export function createBuildResolver(
  api: Pick<DaytonaApi, "sandbox" | "snapshot" | "runnerById">,
): BuildResolver {
  async function builtImage(
    { of, id }: Build,
    user: User,
  ): Promise<{ ref: string | null; runnerId: string | null } | null> {
    if (of === "snapshot") {
      const snapshot = await api.snapshot(id, user);
      return snapshot &&
        { ref: snapshot.ref, runnerId: snapshot.initialRunnerId };
    }
    const sandbox = await api.sandbox(id, user);
    return sandbox &&
      { ref: sandbox.snapshotRef, runnerId: sandbox.runnerId };
  }

  return {
    async logOf(build, user) {
      const image = await builtImage(build, user);
      if (image === null || image.ref === null || image.runnerId === null) {
        return null;
      }
      const runner = await api.runnerById(image.runnerId);
      return runner && { runner, snapshotRef: image.ref };
    },
  };
}
