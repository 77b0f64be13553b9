/**
 * Deno 2.9.6 names one missing permission at a time, and the option for it alone: `--allow-read`, which would allow
 * everything, and next time `--allow-write`. By design, as a permission is checked when it is needed.
 *
 * Instead, the operator is told at once how to start Deno, with all that is missing and nothing else.
 */
import { describeError } from "../lib/describe_error.ts";

/** The advice to start Deno so that it may use `folder` too: the options replace the paths that `-P=start` allows. */
export function permissionHint(
  folder: string,
  ...permissions: readonly ("read" | "write")[]
): string {
  const options = permissions.map((name) => `--allow-${name}=./data,${folder}`);
  return `start it with deno run -P=start ${
    options.join(" ")
  } src/main.ts (deno task start passes no options on)`;
}

/** Why a file could not be read, and what to do about it. */
export function whyUnreadable(path: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `${path} does not exist`;
  if (error instanceof Deno.errors.NotCapable) {
    const folder = path.replace(/[/\\][^/\\]*$/, "") || path;
    const hint = permissionHint(folder, "read");
    return `Deno is not allowed to read ${path}: ${hint}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user is not allowed to read ${path}`;
  }
  return `cannot read ${path}: ${describeError(error)}`;
}
