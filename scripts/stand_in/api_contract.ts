/** The operations of the fake API, and the types of their answers. */
import type { components, operations } from "../../gen/daytona.ts";

type Sandbox = components["schemas"]["Sandbox"];

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
  readonly getSignedPortPreviewUrl: {
    readonly sandboxId: string;
    readonly port: number;
    readonly token: string;
    readonly url: string;
  };
  readonly expireSignedPortPreviewUrl: undefined;
  readonly getToolboxProxyUrl: { readonly url: string };
  readonly getSandboxSigningKey: string;
  readonly listSandboxes: SandboxList | { readonly items: SandboxList };
  readonly rotateSigningKey: string;
}

type SandboxList = readonly {
  readonly id: string;
  readonly organizationId: string;
}[];

/** The answers to what changes the state of a sandbox; the gateway's contract does not cover these either. */
export interface LifecycleAnswers {
  readonly startSandbox: Sandbox;
  readonly stopSandbox: Sandbox;
  readonly archiveSandbox: Sandbox;
  readonly recoverSandbox: Sandbox;
  readonly updatePublicStatus: Sandbox;
  readonly getOrganizationBySandboxId: {
    readonly id: string;
    readonly name: string;
    readonly createdBy: string;
    readonly personal: boolean;
    readonly suspended: boolean;
    readonly suspensionReason: string | null;
  };
}

/** All answers; what the contract comes to cover is typed by it. */
export type Answers =
  & ContractAnswers
  & Omit<SdkAnswers & LifecycleAnswers, keyof ContractAnswers>;

/** The ids of the contract's operations. */
export type OperationId = keyof ContractAnswers;

/** The ids of all operations. */
export type OperationName = keyof Answers;
