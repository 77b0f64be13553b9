/**
 * With whose rights an admitted visitor may have a sandbox started. Who has logged in starts with their own token, and
 * who calls with a bearer with that, so that Daytona decides; only where Daytona does not know the users, the gateway's
 * own key starts for them. Whoever has neither starts with a key that the operator gave for that purpose, and only if the
 * operator wants it for links, or for public sandboxes.
 */
import type { LoginRef } from "../../auth/session.ts";
import type { Admission } from "../../auth/verdict.ts";
import { sectionOf } from "../../config/section.ts";
import type { StartCredential } from "../../daytona/api.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { clientKey } from "../../lib/client_key.ts";
import { digestKey } from "../../lib/digest.ts";
import type { StarterKind, WantedStart } from "./starts.ts";
import { wakeSettings } from "./wake_settings.ts";

/** By what a sandbox is started, and whose quota that counts against. */
type Rights = Pick<WantedStart, "credential" | "quotaKey">;

/** Who asks for the start of what. */
export interface StartRequest {
  readonly id: string;
  readonly label: string;
  readonly sandboxId: string;
  readonly clientAddress: string;
}

/** A visitor who may try to start a sandbox. */
export interface Starter {
  readonly by: StarterKind;
  /** Names the visitor: a form for one is none for another. */
  readonly name: string;
  /** For the sandboxes of an organization; undefined if there are none. */
  rightsFor(
    organizationId: string | null,
  ): Promise<Rights | undefined> | Rights | undefined;
}

/** The visitor as one who may try; undefined if they may not. */
export async function starterOf(
  { label, clientAddress }: Pick<StartRequest, "label" | "clientAddress">,
  { by, credential, grant, isVisitor, isByLabel, failure }: Admission,
  parts: FeatureParts,
): Promise<Starter | undefined> {
  if (isVisitor) return undefined;
  switch (credential?.kind) {
    case "bearer":
      return withBearer(credential.token, clientAddress);
    case "session": {
      const session = await parts.sessions.open(credential.sealed);
      if (session?.kind === "key") {
        return withOperatorsKey(parts, clientAddress, session.token);
      }
      if (session?.kind === "grant" && grant?.isLink) {
        return withOperatorsKey(parts, clientAddress, session.id);
      }
      return session === undefined || session.kind === "grant"
        ? undefined
        : withLogin(parts, clientAddress, session);
    }
    case "preview_token":
    case "auth_key":
      return withOperatorsKey(parts, clientAddress, credential.token);
    case "signed_url":
    case "grant":
      return undefined;
  }
  // Daytona says that it is private, or nobody can tell whom its labels admit.
  if (isByLabel || failure !== undefined) return undefined;
  const secret = by === "signed_token" ? label : undefined;
  return withOperatorsKey(parts, clientAddress, secret);
}

function withBearer(bearer: string, clientAddress: string): Starter {
  const name = digestKey(["bearer", bearer]);
  return {
    by: "bearer",
    name,
    rightsFor: (organizationId) => ({
      credential: asUser(bearer, clientAddress, organizationId),
      quotaKey: name,
    }),
  };
}

function withLogin(
  { config, logins }: FeatureParts,
  clientAddress: string,
  login: LoginRef,
): Starter {
  const name = digestKey(["login", login.id]);
  return {
    by: "login",
    name,
    async rightsFor(organizationId) {
      const user = await logins.userOf(login);
      const quotaKey = user?.subject === undefined
        ? name
        : digestKey(["subject", user.subject]);
      if (config.daytona.mode === "hosted") return { ...OWN_KEY, quotaKey };
      return user && {
        credential: asUser(user.accessToken, clientAddress, organizationId),
        quotaKey,
      };
    },
  };
}

/** For who has the secret of a link, and without one, for everybody: where the operator wants that. */
function withOperatorsKey(
  { config }: FeatureParts,
  clientAddress: string,
  secret: string | undefined,
): Starter | undefined {
  const { byLink, ofPublic, keys } = sectionOf(config, wakeSettings);
  const isPublic = secret === undefined;
  if (!(isPublic ? ofPublic : byLink)) return undefined;
  const quotaKey = digestKey(["client", clientKey(clientAddress)]);
  return {
    by: isPublic ? "public" : "link",
    name: isPublic ? quotaKey : digestKey(["link", secret]),
    rightsFor(organizationId) {
      const id = organizationId?.toLowerCase();
      const key = keys.find((key) => key.organizationId === id)?.key;
      if (key !== undefined) {
        return { credential: { kind: "key", key }, quotaKey };
      }
      const isHosted = config.daytona.mode === "hosted";
      return isHosted ? { ...OWN_KEY, quotaKey } : undefined;
    },
  };
}

const OWN_KEY = { credential: { kind: "own" } } as const;

function asUser(
  bearer: string,
  clientAddress: string,
  id: string | null,
): StartCredential {
  const organizationId = id ?? undefined;
  return { kind: "user", user: { bearer, clientAddress, organizationId } };
}
