/** A port of 127.0.0.1 that nothing listens on right now, for a program that cannot pick or report one itself. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
