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

/** The names that are known; none until a source is given. */
export class KnownNames implements NameSource {
  #source: NameSource | undefined;

  /** Has the source be asked from now on. */
  use(source: NameSource): void {
    this.#source = source;
  }

  find(host: string): Name | undefined {
    return this.#source?.find(host);
  }

  of(sandboxId: string): ReadonlyMap<string, number> | undefined {
    return this.#source?.of(sandboxId);
  }
}
