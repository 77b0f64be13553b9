import { z } from "@hono/zod-openapi";

/** The content of an error response in the OpenAPI description. */
export const PROBLEM = { "application/problem+json": { schema: z.unknown() } };
