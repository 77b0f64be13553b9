/** Failures of a login in the gateway's vocabulary. */
import * as oauth from "oauth4webapi";
import { GatewayError } from "../../errors.ts";

/** The provider cannot be asked: it says nothing about the login. */
export function unavailable(cause: unknown): GatewayError {
  return new GatewayError("login_unavailable", "Provider not available", {
    cause,
  });
}

/** What an error of one of the steps means; whatever is no failure of a login comes back as it is. */
export async function loginError(error: unknown): Promise<unknown> {
  if (error instanceof GatewayError) return error;
  const response = responseIn(error);
  // Left unread, it would hold its connection.
  if (response?.bodyUsed === false) await response.body?.cancel();
  if (response !== undefined && response.status >= 500) {
    return unavailable(error);
  }
  const cause = { cause: error };
  if (error instanceof oauth.ResponseBodyError) {
    const { error: code, error_description: description } = error;
    const reason = [code, description].filter(Boolean).join(": ");
    return new GatewayError("login_failed", `Provider: ${reason}`, cause);
  }
  if (error instanceof oauth.AuthorizationResponseError) {
    return error.error === "access_denied"
      ? new GatewayError("login_denied", "Denied at the provider", cause)
      : new GatewayError("login_failed", `Provider: ${error.error}`, cause);
  }
  const isProtocol = error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError ||
    error instanceof oauth.WWWAuthenticateChallengeError;
  return isProtocol
    ? new GatewayError("login_failed", error.message, cause)
    : unavailable(error);
}

/** The provider's response that an error is about. */
function responseIn(error: unknown): Response | undefined {
  if (
    error instanceof oauth.WWWAuthenticateChallengeError ||
    error instanceof oauth.ResponseBodyError
  ) return error.response;
  return error instanceof oauth.OperationProcessingError &&
      error.cause instanceof Response
    ? error.cause
    : undefined;
}
