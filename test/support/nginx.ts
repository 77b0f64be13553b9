/** nginx, as the command of a single process that serves until it is killed. */

/**
 * Writes the configuration, and returns the command that starts nginx with it.
 *
 * @param folder an empty folder, as an absolute path, which is all that nginx writes to
 * @param http the directives of the `http` block
 */
export async function nginxCommand(
  folder: string,
  http: string,
): Promise<string[]> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ");
  const file = `${folder}/nginx.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  ${temporary}
  ${http.trim()}
}
`,
  );
  return ["nginx", "-p", folder, "-e", "stderr", "-c", file];
}
