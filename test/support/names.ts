/** Names of ports of sandboxes, for tests of what is done with them. */
import type { Name, NameSource } from "../../src/address/known_names.ts";
import {
  createHostParser,
  type HostParser,
} from "../../src/address/preview_host.ts";

/** What each name leads to, by host. */
export type Names = Readonly<
  Record<string, Omit<Name, "isSuspended"> & Partial<Name>>
>;

/** A source of these names, which are in force unless they are suspended. */
export function nameSource(names: Names): NameSource {
  return {
    find(host) {
      const found = names[host];
      return found && { isSuspended: false, ...found };
    },
    of(id) {
      const own = Object.entries(names).flatMap(
        ([host, { sandboxId, port, isSuspended = false }]) =>
          sandboxId === id && !isSuspended ? [[host, port] as const] : [],
      );
      return own.length === 0 ? undefined : new Map(own);
    },
  };
}

/** A parser of hosts below these base domains, with these names. */
export function hostParser(
  bases: readonly string[],
  names: Names = {},
): HostParser {
  return createHostParser(() => bases, nameSource(names));
}
