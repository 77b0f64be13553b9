/** Build logs: which runner built an image, as far as the asking user may know. Nothing is cached: logs are read seldom. */
import type { DaytonaApi, Runner, User } from "../daytona/client.ts";

/** Where the log of one build is. */
export interface BuildLog {
  readonly runner: Runner;
  /** The name of the image that was built. */
  readonly snapshotRef: string;
}

/** What was built: a snapshot, or the image of one sandbox. */
export interface Build {
  readonly of: "snapshot" | "sandbox";
  readonly id: string;
}

/** Finds build logs. */
export interface BuildDirectory {
  /**
   * The log of a build of the user's; null where there is none, or none for this user.
   *
   * @throws {GatewayError} `api_unreachable`
   */
  logOf(build: Build, user: User): Promise<BuildLog | null>;
}

/** Creates the directory on the API. */
export function createBuildDirectory(
  api: Pick<DaytonaApi, "sandbox" | "snapshot" | "runnerById">,
): BuildDirectory {
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
