/** Names of ports of sandboxes besides their preview hosts: which there are is somebody else's affair, and changes. */

/** What a name leads to. */
export interface Name {
  readonly sandboxId: string;
  readonly port: number;
  /** True if it leads nowhere for now, since nobody knows whose it is. */
  readonly isSuspended: boolean;
}

/** Whatever keeps names: all of them in memory, so that a made-up name costs nothing. */
export interface NameSource {
  /** What a host leads to, in lower case and without a port; undefined if it is no name. */
  find(host: string): Name | undefined;
  /** The ports of a sandbox's names that are in force, by host; undefined if it has none. */
  of(sandboxId: string): ReadonlyMap<string, number> | undefined;
}

/** The names that are known; none until sources are given. */
export class KnownNames implements NameSource {
  #sources: readonly NameSource[] = [];

  /** Has these be asked from now on, in this order: the first that knows a host says what it leads to. */
  use(sources: readonly NameSource[]): void {
    this.#sources = sources;
  }

  find(host: string): Name | undefined {
    for (const source of this.#sources) {
      const found = source.find(host);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  of(sandboxId: string): ReadonlyMap<string, number> | undefined {
    let ports: ReadonlyMap<string, number> | undefined;
    for (const source of this.#sources) {
      const more = source.of(sandboxId);
      // Of a host that two have, the first one's port counts.
      ports = ports && more ? new Map([...more, ...ports]) : ports ?? more;
    }
    return ports;
  }
}
