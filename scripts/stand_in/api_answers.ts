/** What answers are made of: operations, refusals, and the sandbox that a call is about. */
import type { Caller, Callers } from "./api_callers.ts";
import { type ApiSandbox, type ApiState, REGION } from "./api_state.ts";

/** An HTTP error of the API. */
export interface Refusal {
  readonly refused: number;
  readonly message: string;
  /** Newer APIs name some errors. */
  readonly code?: string;
}

/** A call, and who makes it. */
export interface Query {
  readonly state: ApiState;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The path parameters in order, decoded. */
  readonly params: readonly string[];
  /** The query. */
  readonly search: URLSearchParams;
  /** Undefined only where anyone may call. */
  readonly caller: Caller | undefined;
}

/** An operation: its call and its answer. */
export interface Operation<Answer> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly callers: Callers;
  /** True if a string is sent as JSON; the real API sends it bare elsewhere. */
  readonly isJson?: boolean;
  answer(query: Query): Answer | Refusal;
}

/** Operations by their ids, each with the body of its success; undefined for a 201 without one. */
export type Operations<Answers> = {
  readonly [Id in keyof Answers]: Operation<Answers[Id]>;
};

/** True if an answer is an error. */
export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refused" in answer;
}

/** The same answer for a private sandbox, a wrong token and a sandbox that does not exist. */
export function noSandbox(id: string): Refusal {
  return { refused: 404, message: `Sandbox with ID ${id} not found` };
}

/** Answers for the sandbox named first in the path, if it still lives and the caller may see it. */
export function withSandbox<T>(
  query: Query,
  answer: (sandbox: ApiSandbox) => T,
): T | Refusal {
  const sandbox = sandboxOf(query);
  if (sandbox === undefined || sandbox.state === "destroyed") {
    return noSandbox(query.params[0] ?? "");
  }
  return answer(sandbox);
}

/** The sandbox named first in the path; undefined if the caller may not see it. A destroyed one is one. */
export function sandboxOf(
  { state, params: [id = ""], caller }: Query,
): ApiSandbox | undefined {
  const sandbox = state.sandboxes.get(id);
  if (sandbox === undefined || caller === undefined) return undefined;
  const isVisible = caller.kind === "service"
    ? isInRegion(caller, sandbox)
    : caller.visible.has(id);
  return isVisible ? sandbox : undefined;
}

/** True unless the caller is the proxy of another region. */
export function isInRegion(
  caller: Caller | undefined,
  { region = REGION }: { readonly region?: string },
): boolean {
  return caller?.kind !== "service" || caller.role !== "region-proxy" ||
    caller.region === region;
}

/** The URL of a preview, at the proxy of the sandbox's region if that has one. */
export function previewUrl(
  { state, params: [, port = ""] }: Query,
  { region = REGION }: ApiSandbox,
  label: string,
): string {
  const proxyUrl = state.regions.get(region)?.proxyUrl;
  return proxyUrl === undefined
    ? state.config.proxyTemplateUrl
      .replace("{{PORT}}", port)
      .replace("{{sandboxId}}", label)
    : proxyUrl.replace("://", `://${port}-${label}.`);
}

/** The key by which the URLs of the sandbox's files are signed. */
export function signingKeyOf(sandbox: ApiSandbox): string {
  return sandbox.signingKey ??= crypto.randomUUID();
}
