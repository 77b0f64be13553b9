/** Maps failures of the OAuth library to the gateway's error codes. */
import * as oauth from "oauth4webapi";
import { GatewayError } from "../../errors.ts";

/** The error for a provider that cannot be reached or does not work, which says nothing about the login. */
export function providerUnavailable(cause: unknown): GatewayError {
  const options = { cause };
  return new GatewayError("login_unavailable", "Provider unavailable", options);
}

/**
 * The {@linkcode GatewayError} for an error of one of a login's steps: `login_denied` or `login_failed` if the provider
 * or the library refused the login, `login_unavailable` for anything else, such as a network failure.
 */
export async function loginError(error: unknown): Promise<GatewayError> {
  if (error instanceof GatewayError) return error;
  const isServerError = (responseIn(error)?.status ?? 0) >= 500;
  await discardResponse(error);
  if (isServerError) return providerUnavailable(error);
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
  const isProtocolError = error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError ||
    error instanceof oauth.WWWAuthenticateChallengeError;
  return isProtocolError
    ? new GatewayError("login_failed", error.message, cause)
    : providerUnavailable(error);
}

/** Cancels the body, if unread, of the response that an error is about: it would occupy its connection. */
export async function discardResponse(error: unknown): Promise<void> {
  const response = responseIn(error);
  if (response?.bodyUsed === false) await response.body?.cancel();
}

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
