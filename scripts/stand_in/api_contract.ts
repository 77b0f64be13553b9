/** The operations of the fake API, and the types of their answers. */
import type { operations } from "../../gen/daytona.ts";

/** Answers by the ids of the contract, `openapi/daytona.yaml`, which the gateway calls; undefined for a 201 without. */
export type ContractAnswers = {
  readonly [Id in keyof operations]: operations[Id]["responses"] extends
    { 200: { content: { "application/json": infer Body } } } ? Body
    : undefined;
};

/**
 * The answers to further calls of Daytona's SDK, by the ids in Daytona's own description; the gateway's contract does not
 * cover them, so they are typed here, with the properties that the SDK reads.
 */
export interface SdkAnswers {
  readonly getPortPreviewUrl: {
    readonly sandboxId: string;
    readonly url: string;
    readonly token: string;
  };
  readonly getSignedPortPreviewUrl: {
    readonly sandboxId: string;
    readonly port: number;
    readonly token: string;
    readonly url: string;
  };
  readonly expireSignedPortPreviewUrl: undefined;
  readonly getToolboxProxyUrl: { readonly url: string };
  readonly getSandboxSigningKey: string;
  readonly rotateSigningKey: string;
}

/** The ids of the contract's operations. */
export type OperationId = keyof ContractAnswers;

/** The ids of all operations. */
export type OperationName = OperationId | keyof SdkAnswers;
