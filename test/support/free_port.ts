import { isAlwaysPrivate } from "../../src/address/grammar.ts";

/** A port of 127.0.0.1 that nothing listens on right now, for a program that cannot pick or report one itself. */
export function freePort(): number {
  const [port = 0] = freePorts(1);
  return port;
}

/** Several of them, no two of which are the same: they are taken at once. None is one that only members ever see. */
export function freePorts(
  count: number,
  listen: () => Disposable & { readonly addr: { readonly port: number } } =
    listenAnywhere,
): number[] {
  using listeners = new DisposableStack();
  const ports: number[] = [];
  while (ports.length < count) {
    const { port } = listeners.use(listen()).addr;
    if (!isAlwaysPrivate(port)) ports.push(port);
  }
  return ports;
}

function listenAnywhere(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}
