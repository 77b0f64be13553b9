/** All scenarios. */
import type { Scenario } from "./scenario.ts";
import { accessPage, accessPageInWords } from "./scenarios/access_page.ts";
import { accessibility } from "./scenarios/accessibility.ts";
import { basePage, basePageWithoutScripts } from "./scenarios/base_page.ts";
import { demoApp } from "./scenarios/demo_app.ts";
import { download } from "./scenarios/download.ts";
import { embedDemo } from "./scenarios/embed_demo.ts";
import {
  embedsApp,
  embedsAway,
  embedsHidden,
  embedsPort,
  embedsStranger,
} from "./scenarios/embeds.ts";
import { embedsBridge } from "./scenarios/embeds_bridge.ts";
import {
  embedsHotReload,
  embedsWithoutCookies,
} from "./scenarios/embeds_cookies.ts";
import {
  embedsEnd,
  embedsIsolated,
  embedsRenewal,
  embedsWaiting,
} from "./scenarios/embeds_states.ts";
import { errorDocs, errorPage } from "./scenarios/error_page.ts";
import { frameStates } from "./scenarios/frame_states.ts";
import {
  fullStackInPrivateSandbox,
  fullStackInPublicSandbox,
} from "./scenarios/full_stack.ts";
import { hostIsolation, hostLogin } from "./scenarios/host_sessions.ts";
import { identity } from "./scenarios/identity.ts";
import {
  requestsOfAnotherPort,
  requestsOfAnotherSandbox,
  terminalOfAnotherSandbox,
} from "./scenarios/isolation.ts";
import { cookieTheft, cookieTossing } from "./scenarios/isolation_cookies.ts";
import {
  frameAfterWarning,
  frameOfAnotherPort,
  frameOfAnotherSandbox,
  frameOfAnotherSite,
  frameWithoutRequest,
} from "./scenarios/isolation_frames.ts";
import { loginOfAnotherSandbox } from "./scenarios/isolation_login.ts";
import { speculationOfAnotherSandbox } from "./scenarios/isolation_speculation.ts";
import { inspect } from "./scenarios/inspect.ts";
import { largePages } from "./scenarios/large_page.ts";
import { tokenInHeader, tokenInQuery } from "./scenarios/machine_token.ts";
import { login, loginChoice, loginWithoutAccess } from "./scenarios/login.ts";
import { longMessage } from "./scenarios/long_message.ts";
import {
  nameLoginForHost,
  nameLoginForSandbox,
  nameOfClient,
} from "./scenarios/names.ts";
import {
  plantedCookies,
  plantedCookiesElsewhere,
} from "./scenarios/planted_cookies.ts";
import { sandboxStates, startingSandbox } from "./scenarios/sandbox_states.ts";
import {
  sharesEnd,
  sharesLogin,
  sharesMember,
  sharesPage,
  sharesPasscode,
  sharesPress,
  sharesScripts,
} from "./scenarios/shares.ts";
import { startButton, startByPopUp, startByVisit } from "./scenarios/start.ts";
import { statusPage } from "./scenarios/status_page.ts";
import { tokenInLink } from "./scenarios/token_in_link.ts";
import { viteInPrivateSandbox, viteInPublicSandbox } from "./scenarios/vite.ts";
import {
  retryButton,
  waitingForSlowApp,
  waitingInFrame,
  waitingInSandboxedFrame,
  waitingPage,
  waitingWithoutScripts,
} from "./scenarios/waiting.ts";
import {
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
} from "./scenarios/warning.ts";

/** Every scenario, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  demoApp,
  basePage,
  basePageWithoutScripts,
  accessibility,
  errorPage,
  errorDocs,
  tokenInLink,
  download,
  inspect,
  accessPage,
  accessPageInWords,
  login,
  loginWithoutAccess,
  loginChoice,
  viteInPublicSandbox,
  viteInPrivateSandbox,
  ...largePages,
  embedDemo,
  embedsApp,
  embedsStranger,
  embedsAway,
  embedsHidden,
  embedsPort,
  embedsWaiting,
  embedsIsolated,
  embedsEnd,
  embedsRenewal,
  embedsBridge,
  embedsHotReload,
  embedsWithoutCookies,
  sharesPage,
  sharesPress,
  sharesScripts,
  sharesPasscode,
  sharesLogin,
  sharesMember,
  sharesEnd,
  tokenInQuery,
  tokenInHeader,
  fullStackInPublicSandbox,
  fullStackInPrivateSandbox,
  longMessage,
  requestsOfAnotherSandbox,
  requestsOfAnotherPort,
  terminalOfAnotherSandbox,
  speculationOfAnotherSandbox,
  frameOfAnotherSandbox,
  frameWithoutRequest,
  frameOfAnotherPort,
  frameAfterWarning,
  frameOfAnotherSite,
  cookieTheft,
  cookieTossing,
  plantedCookies,
  plantedCookiesElsewhere,
  loginOfAnotherSandbox,
  hostLogin,
  hostIsolation,
  nameLoginForSandbox,
  nameLoginForHost,
  nameOfClient,
  identity,
  waitingPage,
  retryButton,
  waitingInFrame,
  waitingInSandboxedFrame,
  waitingForSlowApp,
  waitingWithoutScripts,
  frameStates,
  sandboxStates,
  startButton,
  startByPopUp,
  startByVisit,
  startingSandbox,
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
  statusPage,
];

/** What no change lands without, in one engine: half a minute. */
export const SHORT: readonly Scenario[] = [
  demoApp,
  basePage,
  tokenInLink,
  accessPage,
  login,
  viteInPrivateSandbox,
  embedsApp,
  embedsStranger,
  sharesPress,
  requestsOfAnotherSandbox,
  terminalOfAnotherSandbox,
  frameOfAnotherSandbox,
  cookieTheft,
  plantedCookies,
  hostLogin,
  identity,
  waitingPage,
  startButton,
  warning,
];

/**
 * One sandbox against another, in front of a Daytona that somebody else operates too; without the scenarios that start a
 * gateway of their own.
 */
export const HOSTED: readonly Scenario[] = [
  requestsOfAnotherSandbox,
  requestsOfAnotherPort,
  terminalOfAnotherSandbox,
  speculationOfAnotherSandbox,
  frameOfAnotherSandbox,
  frameWithoutRequest,
  cookieTheft,
  cookieTossing,
  plantedCookies,
  plantedCookiesElsewhere,
  loginOfAnotherSandbox,
];
