/** The descriptions of the routes of one kind of records. */
import { z } from "@hono/zod-openapi";
import { json, refusal, type RouteConfig } from "../route.ts";
import { ACCESS_REFUSALS } from "../routes/sandbox_paths.ts";
import { LIST_QUERY, TOLD_OF_ALL } from "./fields.ts";
import { ENDED_WITHIN } from "./record_routes.ts";

/** How bodies are refused. */
export const BODY_REFUSALS = {
  400: refusal("The request is not valid; `errors` says why."),
  408: refusal("The body was too slow."),
  413: refusal("The body is longer than 16 KiB."),
  415: refusal("The body is no JSON."),
} as const;

/** How requests to all of `/api/v1` are refused. */
export const API_REFUSALS = {
  ...ACCESS_REFUSALS,
  400: BODY_REFUSALS[400],
  403: refusal("A page of another site sent the request."),
  501: refusal("The feature is switched off."),
} as const;

/** What differs by kind. */
interface DescribedKind {
  /** As in paths. */
  readonly name: string;
  /** One of them, and what is to be known of it. */
  readonly one: string;
  readonly description: string;
  readonly asked: z.ZodType;
  /** What is told of its own, and what only once it has been made. */
  readonly told: z.ZodRawShape;
  readonly toldOnce: z.ZodRawShape;
}

/** The descriptions. */
export function describeRecords(
  { name, one, description, asked, told, toldOnce }: DescribedKind,
): readonly RouteConfig[] {
  const path = `/api/v1/${name}`;
  const members = "For members of the sandbox.";
  const ofOne = {
    path: `${path}/{id}`,
    description: members,
    request: { params: z.object({ id: z.string() }) },
  };
  const record = z.object({ ...TOLD_OF_ALL, ...told });
  const page = z.object({
    items: z.array(record),
    next: z.string().optional(),
  });
  return [{
    method: "post",
    path,
    operationId: `${name}_create`,
    summary: `Make a ${one}`,
    description: `${members} ${description}`,
    request: { body: { required: true, content: json(asked) } },
    responses: {
      201: { description: "Made.", content: json(record.extend(toldOnce)) },
      ...API_REFUSALS,
      ...BODY_REFUSALS,
      409: refusal("There are too many."),
    },
  }, {
    method: "get",
    path,
    operationId: `${name}_list`,
    summary: `The ${one}s of a sandbox, newest first`,
    description: members,
    request: { query: LIST_QUERY },
    responses: {
      200: { description: "A page of them.", content: json(page) },
      ...API_REFUSALS,
    },
  }, {
    ...ofOne,
    method: "get",
    operationId: `${name}_read`,
    summary: `A ${one}`,
    responses: {
      200: { description: "It.", content: json(record) },
      ...API_REFUSALS,
    },
  }, {
    ...ofOne,
    method: "delete",
    operationId: `${name}_end`,
    summary: `End a ${one}`,
    responses: {
      204: {
        description: "Ended, for good. Other gateways hear of it, or read it " +
          "within 5 s.",
        headers: {
          [ENDED_WITHIN]: {
            description: "After how many seconds no gateway takes it, even " +
              "one that neither hears of it nor can read it.",
            schema: { type: "integer" },
          },
        },
      },
      ...API_REFUSALS,
      412: refusal("It is not what If-Match names."),
    },
  }];
}
