/**
 * With whose rights an admitted visitor may have a sandbox started. Who has logged in starts with their own token, and
 * who calls with a bearer with that, so that Daytona decides; only where Daytona does not know the users, the gateway's
 * own key starts for them. Whoever has neither starts with a key that the operator gave for that purpose, and only if the
 * operator wants it for links, or for public sandboxes.
 */
import type { Admission } from "../../auth/gate.ts";
import type { LoginSessions } from "../../auth/login_sessions.ts";
import type { LoginRef, SessionSealer } from "../../auth/session.ts";
import type { StartCredential } from "../../daytona/api.ts";
import { clientKey } from "../../lib/client_key.ts";
import { digestKey } from "../../lib/digest.ts";
import type { StarterKind } from "../../observability/metrics/facts.ts";
import type { WakeConfig } from "./wake_settings.ts";

/** What is known of the visitor besides who admitted them. */
interface Visitor {
  readonly label: string;
  readonly clientAddress: string;
}

/** A visitor who may try to start a sandbox. */
export interface Starter {
  readonly by: StarterKind;
  /** Names the visitor: a ticket for one is none for another. */
  readonly name: string;
  /** The credential for the sandboxes of an organization; undefined if there is none. */
  rightsFor(organizationId: string | null): Promise<Rights | undefined>;
}

/** By what a sandbox is started. */
export interface Rights {
  readonly credential: StartCredential;
  /** Who spends one of their starts of the hour. */
  readonly payer: string;
}

/** Dependencies of {@linkcode StartRights}. */
interface StartRightsOptions {
  readonly wake: Pick<WakeConfig, "byLink" | "ofPublic" | "keys">;
  /** True if the gateway's own key starts, where no bearer does. */
  readonly usesOwnKey: boolean;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "userOf">;
}

/** Decides on the rights of visitors. */
export class StartRights {
  readonly #options: StartRightsOptions;

  constructor(options: StartRightsOptions) {
    this.#options = options;
  }

  /** The visitor as one who may try; undefined if they may not. */
  async starterOf(
    visitor: Visitor,
    { by, credential }: Admission,
  ): Promise<Starter | undefined> {
    switch (credential?.kind) {
      case "bearer":
        return withBearer(visitor, credential.token);
      case "session": {
        const session = await this.#options.sessions.open(credential.sealed);
        if (session?.kind === "login" || session?.kind === "host") {
          return this.#loggedIn(visitor, session);
        }
        return session?.kind === "key"
          ? this.#byLink(visitor, session.token)
          : undefined;
      }
      case "preview_token":
      case "auth_key":
        return this.#byLink(visitor, credential.token);
      case "signed_url":
        return undefined;
    }
    return by === "signed_token"
      ? this.#byLink(visitor, visitor.label)
      : this.#toPublic(visitor);
  }

  #loggedIn({ clientAddress }: Visitor, login: LoginRef): Starter {
    const { usesOwnKey, logins } = this.#options;
    return {
      by: "login",
      name: digestKey(["login", login.id]),
      async rightsFor(organizationId) {
        const user = await logins.userOf(login);
        if (user === undefined && !usesOwnKey) return undefined;
        const subject = user?.subject;
        return {
          credential: usesOwnKey || user === undefined ? { kind: "own" } : {
            kind: "user",
            user: {
              bearer: user.accessToken,
              clientAddress,
              organizationId: organizationId ?? undefined,
            },
          },
          payer: subject === undefined
            ? digestKey(["login", login.id])
            : digestKey(["subject", subject]),
        };
      },
    };
  }

  #byLink(visitor: Visitor, secret: string): Starter | undefined {
    return this.#options.wake.byLink
      ? this.#withOperatorsKey(visitor, "link", digestKey(["link", secret]))
      : undefined;
  }

  #toPublic(visitor: Visitor): Starter | undefined {
    const client = digestKey(["client", clientKey(visitor.clientAddress)]);
    return this.#options.wake.ofPublic
      ? this.#withOperatorsKey(visitor, "public", client)
      : undefined;
  }

  #withOperatorsKey(
    { clientAddress }: Visitor,
    by: "link" | "public",
    name: string,
  ): Starter {
    const { wake: { keys }, usesOwnKey } = this.#options;
    const payer = digestKey(["client", clientKey(clientAddress)]);
    return {
      by,
      name,
      rightsFor(organizationId) {
        const id = organizationId?.toLowerCase();
        const key = keys.find((key) => key.organizationId === id)?.key;
        if (key === undefined && !usesOwnKey) return Promise.resolve(undefined);
        const credential: StartCredential = key === undefined
          ? { kind: "own" }
          : { kind: "key", key };
        return Promise.resolve({ credential, payer });
      },
    };
  }
}

function withBearer({ clientAddress }: Visitor, bearer: string): Starter {
  const name = digestKey(["bearer", bearer]);
  return {
    by: "bearer",
    name,
    rightsFor: (organizationId) =>
      Promise.resolve({
        credential: {
          kind: "user",
          user: {
            bearer,
            clientAddress,
            organizationId: organizationId ?? undefined,
          },
        },
        payer: name,
      }),
  };
}
