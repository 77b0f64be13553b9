/**
 * Logins of people who are no members of a sandbox's organization, where its labels let them see a port: any verified one
 * (`porthole.port.3000=login`), or those that are named (`porthole.allow`). They are visitors, who may do no more than look.
 */
import { UNMETERED } from "../resolver/lookup_cache.ts";
import { isAllowed, isVerified } from "./login_rule.ts";
import type { Identity } from "./oidc/identity.ts";
import type { Tokens } from "./oidc/provider.ts";
import type { PortPolicy } from "./port_policy.ts";

/** A port of a sandbox, by id or name. */
export interface VisitedPort {
  readonly label: string;
  readonly port: number;
}

/** Tells who has logged in; null if nobody does. */
interface Users {
  identityOf(tokens: Tokens): Promise<Identity | null>;
}

/** Tells which logins are visitors'. */
export class VisitorAccess {
  readonly #ports: Pick<PortPolicy, "loginsTo">;
  readonly #users: Users;

  constructor(ports: Pick<PortPolicy, "loginsTo">, users: Users) {
    this.#ports = ports;
    this.#users = users;
  }

  /**
   * True if the user may see that port, as what the provider says of them now. No stranger causes a question: whoever
   * has tokens has logged in.
   * @throws {GatewayError} as look-ups of sandboxes, or `login_unavailable`
   */
  async admits({ label, port }: VisitedPort, tokens: Tokens): Promise<boolean> {
    const rule = await this.#ports.loginsTo(label, port, UNMETERED);
    if (rule === undefined) return false;
    const identity = await this.#users.identityOf(tokens);
    if (identity === null) return false;
    return rule === "any" ? isVerified(identity) : isAllowed(rule, identity);
  }
}
