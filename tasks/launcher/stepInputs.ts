/** The step's inputs: only those that task.json declares, and each variable in them replaced. */

import * as levenshtein from 'fast-levenshtein';

import { inputUnknown, variableUnset } from './errors';
import { environmentName, input, inputNames, publicVariables } from './given';

export interface TaskInput {
  readonly name: string;
  readonly type: string;
  readonly aliases?: readonly string[];
}

export interface TaskDefinition {
  readonly name: string;
  readonly version: { readonly Major: number };
  readonly inputs: readonly TaskInput[];
}

/** Set by the input methods of some desktops, on which an agent may run. */
const OTHERS = ['METHOD'];
/** A variable that the agent did not know stays as it is written. */
const MACRO = /\$\(([\w.-]+)\)/;

/**
 * The agent hands on whatever the step says, and defaults for the rest: a mistyped name would leave
 * its input at the default.
 * @throws LauncherError INPUT_UNKNOWN.
 */
export function checkNames(task: TaskDefinition): void {
  const names = task.inputs.map(shownName);
  const known = new Set([
    ...task.inputs.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]).map(environmentName),
    // A variable `input.x` has the same form.
    ...publicVariables.map((name) => environmentName(name).replace(/^INPUT_/, '')),
    ...OTHERS,
  ]);
  const unknown = inputNames().filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const nearest = unknown.map(
      (name) => `'${name.toLowerCase()}' (did you mean '${nearestTo(name, names)}'?)`,
    );
    throw inputUnknown(`${task.name}@${String(task.version.Major)}`, nearest, names);
  }
}

/** The name that a pipeline file uses and that the documentation has. */
export function shownName({ name, aliases }: TaskInput): string {
  return aliases?.[0] ?? name;
}

/** An input's text by its name or by one of its aliases, '' when it was not given. */
export function given({ name, aliases }: TaskInput): string {
  return [name, ...(aliases ?? [])].map(input).find(Boolean) ?? '';
}

/**
 * An input that the launcher itself reads.
 * @throws LauncherError INPUT_VARIABLE_UNSET.
 */
export function replaced(declared: TaskInput): string {
  const text = given(declared).trim();
  const macro = MACRO.exec(text)?.[1];
  if (macro !== undefined) {
    throw variableUnset(shownName(declared), macro);
  }
  return text;
}

function nearestTo(name: string, names: readonly string[]): string {
  const distance = (other: string) => levenshtein.get(name.toLowerCase(), other.toLowerCase());
  const sorted = [...names].sort((one, other) => distance(one) - distance(other));
  return sorted[0] ?? '';
}
