/** Findings as text, for people and for machines. */
import { ALL_SETTINGS } from "../../src/modules.ts";
import type { Setting } from "../../src/config/read_settings.ts";
import type { Finding, State } from "./finding.ts";

const COLORS: Readonly<Record<State, number>> = {
  ok: 32,
  warning: 33,
  failed: 31,
  skipped: 90,
};

/** What to look at first comes first; otherwise, the order stays. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  const states = ["failed", "warning"];
  const rank = ({ state }: Finding) =>
    states.includes(state) ? states.indexOf(state) : states.length;
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Formats findings as aligned lines, each hint below its finding, and counts what is wrong below all; `colors` adds ANSI
 * escapes (ECMA-48).
 */
export function table(
  findings: readonly Finding[],
  { colors }: { readonly colors: boolean },
): string {
  const stateWidth = widest(findings.map(({ state }) => state));
  const nameWidth = widest(findings.map(({ name }) => name));
  const indent = " ".repeat(stateWidth + nameWidth + 4);
  const lines = findings.map(({ name, state, finding, hint }) => {
    const padded = state.padEnd(stateWidth);
    const shown = colors ? `\x1b[${COLORS[state]}m${padded}\x1b[0m` : padded;
    const line = `${shown}  ${name.padEnd(nameWidth)}  ${finding}\n`;
    return hint === undefined ? line : `${line}${indent}${hint}\n`;
  });
  return `${lines.join("")}\n${summary(findings)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: State) =>
    findings.filter(({ state }) => state === wanted).length;
  const warnings = count("warning");
  return `${count("failed")} failed, ${warnings} ${
    warnings === 1 ? "warning" : "warnings"
  }`;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}

/** Formats findings as one JSON document. */
export function json(findings: readonly Finding[]): string {
  return `${JSON.stringify({ findings }, undefined, 2)}\n`;
}

/** Shorter secrets are not hidden: they would match other text by chance. */
const MIN_HIDDEN_LENGTH = 4;

/**
 * Removes from findings the secrets of `env`, which an error message may contain, and control characters, by which
 * another machine might manipulate a terminal.
 */
export function presentable(
  findings: readonly Finding[],
  env: Readonly<Record<string, string | undefined>>,
): Finding[] {
  const secrets = secretsIn(env);
  function clean(text: string): string {
    return secrets
      .reduce((rest, secret) => rest.replaceAll(secret, "(hidden)"), text)
      .replaceAll(/\p{Cc}+/gu, " ");
  }
  return findings.map(({ finding, hint, ...rest }) => ({
    ...rest,
    finding: clean(finding),
    ...hint === undefined ? {} : { hint: clean(hint) },
  }));
}

/** All secrets, longest first, since one may contain another. */
function secretsIn(
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const settings: [string, Setting<unknown>][] = Object.entries(ALL_SETTINGS);
  const values = settings
    .filter(([, { secret }]) => secret)
    .flatMap(([name]) => [env[name] ?? "", ...env[name]?.split(",") ?? []]);
  const password = URL.parse(env.CACHE_URL?.trim() ?? "")?.password ?? "";
  return [...values, password, decoded(password)]
    .map((text) => text.trim())
    .filter(({ length }) => length >= MIN_HIDDEN_LENGTH)
    .sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
