/** `/access/{sandbox}` on base hosts: what its members have let others in by, for them alone. */
import { createRoute, z } from "@hono/zod-openapi";
import { checkReturnUrl } from "../../address/return_url.ts";
import { ownOrigin, PAGE, type RouteContext } from "../../control/route.ts";
import * as paths from "../../control/routes/sandbox_paths.ts";
import { GatewayError } from "../../errors.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import * as intent from "../../http/fetch_metadata.ts";
import { redirect } from "../../pages/redirect.ts";
import { ACCESS_HEADERS, accessPageOf } from "./access_page.ts";

const accessRoute = createRoute({
  method: "get",
  path: "/access/{sandbox}",
  summary: "What a sandbox's members have let others in by",
  description: "A page for them, by a login; programs have `/api/v1`.",
  request: { params: z.object({ sandbox: paths.SANDBOX }) },
  responses: {
    200: { description: "The page.", content: PAGE },
    302: { description: "To the login." },
    ...paths.ACCESS_REFUSALS,
  },
});

/** The page: always there, since what it shows has switches of its own. */
export const accessPage: FeatureModule = {
  name: "access_page",
  routes: [accessRoute],
  create: (parts) => ({
    control: {
      sandboxPage: { url: "/access/", text: "Access" },
      routes: (app) => app.openapi(accessRoute, (c) => answer(c, parts)),
    },
  }),
};

async function answer(
  c: RouteContext<typeof accessRoute>,
  { members, login, scheme, parseHost }: FeatureParts,
): Promise<Response> {
  const sandbox = c.req.valid("param").sandbox.toLowerCase();
  const { headers, method } = c.req.raw;
  const isVisit = intent.isNavigation(method, headers) &&
    !intent.isFramed(headers) && !intent.isAheadOfTime(headers);
  const visitor = {
    method,
    bearer: undefined,
    cookie: isVisit ? headers.get("cookie") ?? "" : "",
    clientAddress: c.env.clientAddress,
    isSentByPage: intent.isSentByPage(headers),
  };
  try {
    await members.admit(visitor, sandbox);
  } catch (error) {
    const url = `${ownOrigin(c.env, scheme)}/access/${sandbox}`;
    const { authority } = c.env;
    const mayLogIn = isVisit && login.state === "on" &&
      error instanceof GatewayError &&
      ["login_required", "not_found"].includes(error.code) &&
      checkReturnUrl(url, { scheme, parseHost, authority }) !== undefined &&
      // A login for another sandbox says nothing of this one.
      !await members.hasLoginFor(visitor, sandbox);
    if (!mayLogIn) throw error;
    return redirect(302, `/login?return_to=${encodeURIComponent(url)}`);
  }
  return c.html(accessPageOf(sandbox), 200, ACCESS_HEADERS);
}
