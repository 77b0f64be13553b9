/** Keeps everybody from what is blocked, and ends what streams from there. */
import { LRUCache } from "lru-cache";
import { splitAuthority } from "../../address/preview_host.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { Block, BlockList } from "./block_list.ts";

/** Most questions to the API at once. */
const AT_ONCE = 32;

interface BlockadeParts {
  readonly list: Pick<BlockList, "all" | "hasOrganizations">;
  readonly inFlight: Pick<FeatureParts["inFlight"], "abortWhere">;
  readonly members: Pick<FeatureParts["members"], "organizationOf">;
  /** Most sandboxes whose organizations are remembered, which are for good. */
  readonly maxSandboxes: number;
}

interface Served {
  readonly sandboxId: string;
  /** The name that was asked for, maybe with a port; undefined if none was. */
  readonly name: string | undefined;
}

/** Organizations are asked for only while one is blocked; where the API does not tell, that does not count. */
export class Blockade {
  readonly #parts: BlockadeParts;
  /** By sandbox; empty for none. */
  readonly #organizations: LRUCache<string, string>;
  #isAsking = false;

  constructor(parts: BlockadeParts) {
    this.#parts = parts;
    this.#organizations = new LRUCache({ max: parts.maxSandboxes });
  }

  /** Throws or rejects with `preview_blocked` if it is blocked. */
  forbid(served: Served): Promise<void> | undefined {
    this.#check(served);
    return this.#mayTell(served.sandboxId)
      ? this.#ask(served.sandboxId).then(() => this.#check(served))
      : undefined;
  }

  /** Ends what streams from what is blocked. */
  async enforce(): Promise<void> {
    if (this.#parts.list.all.size === 0) return;
    const unknown = [...this.#cut()];
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (unknown.length > 0) {
        const some = unknown.splice(0, AT_ONCE);
        await Promise.all(some.map((sandboxId) => this.#ask(sandboxId)));
        this.#cut();
      }
    } finally {
      this.#isAsking = false;
    }
  }

  /** Ends it as far as is known; returns the sandboxes of which the API may tell more. */
  #cut(): ReadonlySet<string> {
    const unknown = new Set<string>();
    this.#parts.inFlight.abortWhere(({ sandboxId = "", name }) => {
      if (sandboxId !== "" && this.#mayTell(sandboxId)) unknown.add(sandboxId);
      return this.#isBlocked({ sandboxId, name });
    });
    return unknown;
  }

  /** True if the organization of a sandbox counts and is not known. */
  #mayTell(sandboxId: string): boolean {
    return this.#parts.list.hasOrganizations &&
      !this.#organizations.has(sandboxId);
  }

  async #ask(sandboxId: string): Promise<void> {
    const told = await this.#parts.members.organizationOf(sandboxId);
    if (told !== undefined) this.#organizations.set(sandboxId, told ?? "");
  }

  #check(served: Served): void {
    if (!this.#isBlocked(served)) return;
    throw new GatewayError("preview_blocked", "On the block list");
  }

  #isBlocked({ sandboxId, name = "" }: Served): boolean {
    const organization = this.#organizations.get(sandboxId) ?? "";
    const blocks: readonly Block[] = [
      `sandboxes/${sandboxId}`,
      `names/${splitAuthority(name).name}`,
      `organizations/${organization}`,
    ];
    return blocks.some((block) => this.#parts.list.all.has(block));
  }
}
