/** How to start Deno so that it may use `folder` as well: the options replace the paths that `-P=start` allows. */
export function permissionHint(
  folder: string,
  ...permissions: readonly ("read" | "write")[]
): string {
  const options = permissions.map((name) => `--allow-${name}=./data,${folder}`);
  return `start it with ${options.join(" ")}`;
}
