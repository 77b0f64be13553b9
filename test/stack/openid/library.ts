/** The npm package `oidc-provider`, which comes without types: the part of it that the stand-in uses. */
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";

/** An exchange, as the package's middleware sees it. */
export interface ProviderContext {
  readonly path: string;
  readonly status: number;
  body: unknown;
}

/** What ends an interaction: who logged in, that they agree, or an OAuth error. */
export type InteractionResult =
  | { readonly login: { readonly accountId: string } }
  | { readonly consent: Record<string, never> }
  | { readonly error: string; readonly error_description: string };

/** A provider without a listener. */
export interface LibraryProvider {
  /** Whether Koa keeps errors to itself. */
  silent: boolean;
  use(
    middleware: (
      context: ProviderContext,
      next: () => Promise<void>,
    ) => Promise<void>,
  ): void;
  callback(): (
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<void>;
  /** Rejects where the request's cookies belong to no interaction. */
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ readonly prompt: { readonly name: "login" | "consent" } }>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: InteractionResult,
  ): Promise<void>;
}

/** The package's exports. */
export interface Library {
  readonly Provider: new (
    issuer: string,
    configuration: Readonly<Record<string, unknown>>,
  ) => LibraryProvider;
  readonly errors: {
    readonly InvalidTarget: new (description: string) => Error;
  };
}

let loaded: Promise<Library> | undefined;

/** Loads the package, once: it takes a tenth of a second, which tests without a login need not spend. */
export function loadLibrary(): Promise<Library> {
  return loaded ??= importQuietly();
}

async function importQuietly(): Promise<Library> {
  const { warn } = console;
  using _warn = replace(console, "warn", (...data) => {
    // It says that it was made for Node.
    if (!String(data[0]).startsWith("oidc-provider ")) warn(...data);
  });
  using _env = replace(process, "env", {});
  return await import("oidc-provider") as Library;
}

/** Runs `create` with an empty `process.env`: the package and what it is made of want to read more than they need. */
export function withoutEnvironment<T>(create: () => T): T {
  using _env = replace(process, "env", {});
  return create();
}

function replace<T extends object, K extends keyof T>(
  object: T,
  key: K,
  value: T[K],
): Disposable {
  const original = object[key];
  object[key] = value;
  return {
    [Symbol.dispose](): void {
      object[key] = original;
    },
  };
}
