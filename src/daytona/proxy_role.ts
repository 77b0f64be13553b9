/** What the API takes the gateway for. A region's proxy sees its own region's sandboxes; all others are 404 for it. */
export type ProxyRole = "installation" | "region";

/** The role by the status of a report that a sandbox that does not exist is in use: only a region's proxy is told so. */
export function proxyRoleOf(status: number): ProxyRole | undefined {
  if (status === 200 || status === 201) return "installation";
  return status === 404 ? "region" : undefined;
}

/** Finds out which role the gateway has, and which region. */
export class RoleWatch {
  readonly #ask: () => Promise<ProxyRole | undefined>;
  readonly #onRegion: (region: string | undefined) => void;
  #role: ProxyRole | undefined;
  #asking: Promise<ProxyRole | undefined> | undefined;
  #region: string | undefined;

  /**
   * `ask` asks the API; it may reject. `onRegion` is called once the role is a region's, and once the region's name is
   * known: the API does not tell it before a sandbox is looked up.
   */
  constructor(
    ask: () => Promise<ProxyRole | undefined>,
    onRegion: (region: string | undefined) => void,
  ) {
    this.#ask = ask;
    this.#onRegion = onRegion;
  }

  /** The role; undefined if the API does not tell it now. It is asked until it has told. */
  async role(): Promise<ProxyRole | undefined> {
    if (this.#role !== undefined) return this.#role;
    this.#asking ??= this.#ask().catch(() => undefined);
    const role = await this.#asking;
    this.#asking = undefined;
    if (role === this.#role) return role; // another caller was told at the same time
    this.#role = role;
    if (role === "region") this.#onRegion(this.#region);
    return role;
  }

  /** Notes the region of a runner that the API told the gateway of. */
  sawRunnerIn(region: string): void {
    if (this.#region !== undefined) return;
    this.#region = region;
    if (this.#role === "region") this.#onRegion(region);
  }
}
