/** What the table in operations.ts says of each operation of Daytona's API. */
import type { z } from "zod";
import type { DaytonaClient } from "../../gen/clients.ts";
import type { operations } from "../../gen/daytona.ts";
import type { ApiCredential } from "./credential.ts";
import type { KeyVerdict } from "./service_key.ts";

/** An operation's id in openapi/daytona.yaml. */
export type OperationId = keyof operations;

/** What comes from outside in the path of a call, such as `{ path: { sandboxId: string } }`. */
export type Params<Id extends OperationId> = Pick<
  operations[Id]["parameters"],
  "path"
>;

/** An answer of the API itself; `body` is that of a refusal, parsed if it is JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** An answer of the API to a question that was asked with a user's bearer. */
export type UserAnswer = Pick<ApiAnswer, "status" | "headers">;

export type OnUserAnswer = (answer: UserAnswer) => void;

/** A "no": the API's, that of a web server which has a page for every path, or ours, of a call that was not made. */
export type ApiRefusal = ApiAnswer | {
  readonly status: "a page" | "not sent";
  readonly headers?: undefined;
  readonly body?: undefined;
};

/** The result of a request by openapi-fetch: `data` is the body of a success, `error` that of any other answer. */
export interface ApiReply {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}

export interface Operation<Id extends OperationId, Answer = unknown> {
  /** The credentials with which it may be called. */
  readonly by: readonly ApiCredential["kind"][];
  /** The verdicts on the gateway's own key that its statuses can give. */
  readonly verdicts: readonly KeyVerdict[];
  /** The grammar of each segment of its path: only what this returns is sent, percent-encoded. */
  readonly params: z.ZodType<Params<Id>>;
  /** True if its path contains a credential. */
  readonly isSecret?: true;
  /** How the body of a success is read; as JSON unless given. */
  readonly parseAs?: "text";
  readonly answer: z.ZodType<Answer>;
  /** What a refusal means. */
  readonly no: (refusal: ApiRefusal) => Answer;
  /** Deadline for all attempts, ms; the configured one unless given. */
  readonly timeoutMs?: number;
  /** Most attempts; 3 unless given. */
  readonly maxTries?: number;
  readonly send: (client: DaytonaClient, init: {
    readonly params: Params<Id>;
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    readonly parseAs: "json" | "text";
  }) => Promise<ApiReply>;
}
