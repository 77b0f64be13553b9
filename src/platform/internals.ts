/** What Deno keeps to itself, by the names of symbols: should an update hide it, it is undefined, and left alone. */

/** The property of a WebSocket that is named by the symbol of that description. */
export function hiddenProperty(
  socket: WebSocket,
  description: string,
): unknown {
  const symbol = Object.getOwnPropertySymbols(socket)
    .find((each) => each.description === description);
  return symbol && Reflect.get(socket, symbol);
}

interface Core {
  readonly cancelTimer?: (timer: unknown) => void;
  readonly tryClose?: (resource: number) => void;
}

/** The functions of the runtime's core that are used here; none of them is public. */
export function denoCore(): Core | undefined {
  const { internal }: { internal?: symbol } = Object(Deno);
  const internals: { readonly core?: Core } | undefined = internal &&
    Reflect.get(Deno, internal);
  return internals?.core;
}
