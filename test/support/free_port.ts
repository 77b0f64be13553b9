/** A port of 127.0.0.1 that nothing listens on right now, for a program that cannot pick or report one itself. */
export function freePort(): number {
  const [port = 0] = freePorts(1);
  return port;
}

/** Several of them, no two of which are the same: they are taken at once. */
export function freePorts(count: number): number[] {
  using listeners = new DisposableStack();
  return Array.from({ length: count }, () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listeners.use(listener).addr.port;
  });
}
