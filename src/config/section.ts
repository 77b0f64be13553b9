/** Settings of a part that may be taken out: its rows, and what it makes of their values. */
import type { SettingProblem, SettingValues, Table } from "./read_settings.ts";
import type { SETTINGS } from "./settings.ts";

/** The values of the settings that every gateway has. */
export type CoreValues = SettingValues<typeof SETTINGS>;

/** A value that is valid by itself, but not beside the others. */
export interface Conflict<Name extends string = string>
  extends Omit<SettingProblem, "purpose"> {
  readonly name: Name;
}

/** The settings of one feature: `R` are its rows, and `C` is its configuration. */
interface SettingsSection<R extends Table, C> {
  readonly rows: R;
  /** What must not be set together. */
  conflicts?(
    values: SettingValues<R>,
    core: CoreValues,
  ): readonly Conflict<string & keyof R>[];
  /** The configuration by its subject; durations in milliseconds. */
  assemble(values: SettingValues<R>, core: CoreValues): C;
}

/** The section as it is, whose types follow from its rows. */
export function settingsSection<R extends Table, C>(
  section: SettingsSection<R, C>,
): SettingsSection<R, C> {
  return section;
}

/** A section whatever its rows are, as those see it who read all of them: each gets the values of its own rows. */
export type AnySection = SettingsSection<Table, unknown>;

/** The configurations of features, to be read by {@linkcode sectionOf}. */
export interface Sections {
  readonly sections: ReadonlyMap<unknown, unknown>;
}

/** A feature's part of the configuration; throws a TypeError if that was read without the section. */
export function sectionOf<R extends Table, C>(
  { sections }: Sections,
  section: SettingsSection<R, C>,
): C {
  if (!sections.has(section)) {
    throw new TypeError("Cannot find a section: it was not read");
  }
  return sections.get(section) as C; // as assemble() has returned it
}
