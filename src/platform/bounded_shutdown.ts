/**
 * Deno 2.9.6: the `shutdown()` of a server waits for every request, also for one of which the client never sends the
 * rest; and it cannot be hurried, as aborting the server's signal then reports an uncaught `BadResource`. (There is no
 * other way to end connections: denoland/deno#25792.)
 *
 * Instead, a shutdown is not waited for longer than a deadline, after which the process is going to exit anyway.
 */
import { fulfilsWithin } from "../lib/fulfils_within.ts";

/** Shuts a server down; resolves once that is done, or after `timeoutMs` ms. */
export async function shutDownWithin(
  server: Pick<Deno.HttpServer, "shutdown">,
  timeoutMs: number,
): Promise<void> {
  await fulfilsWithin(server.shutdown(), timeoutMs);
}
