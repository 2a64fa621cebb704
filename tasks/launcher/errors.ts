/** Every way the launcher itself can fail: code, what happened and why, what to do next. */

/** Longer texts of an input, a variable or a program are told by their size only. */
const LONGEST_FACT = 500;

export class LauncherError extends Error {
  constructor(
    readonly code: string,
    what: string,
    next: string,
  ) {
    super(`${code}: ${what} Next: ${next}`);
  }
}

/** A text from elsewhere as a message may quote it; of a very long one, only its size. */
export function quoted(text: string): string {
  return text.length <= LONGEST_FACT ? text : `… ${text.length.toLocaleString('en')} characters …`;
}

/** The build was cancelled while the launcher itself was at work. */
export class Cancelled extends Error {
  constructor() {
    super('The task was cancelled.');
  }
}

const SUPPORTED = 'Python 3.10, 3.11 or 3.12';
const CHOOSE_PYTHON = `add a UsePythonVersion@0 step with versionSpec '3.11' before this task, or set pythonPath to ${SUPPORTED}.`;

export const pythonNotFound = (looked: string) =>
  new LauncherError(
    'PYTHON_NOT_FOUND',
    `No Python could be started; looked for ${looked}.`,
    CHOOSE_PYTHON,
  );

export const pythonUnsupported = (found: string[]) =>
  new LauncherError(
    'PYTHON_UNSUPPORTED',
    `The task needs ${SUPPORTED}, and found only ${quoted(found.join(', '))}.`,
    CHOOSE_PYTHON,
  );

export const inputUnknown = (task: string, unknown: string[], known: string[]) =>
  new LauncherError(
    'INPUT_UNKNOWN',
    `${task} has no input ${quoted(unknown.join(', and no input '))}.`,
    `correct the name, or remove the line; the inputs are ${known.join(', ')}.`,
  );

export const variableUnset = (name: string, variable: string) =>
  new LauncherError(
    'INPUT_VARIABLE_UNSET',
    `The input '${name}' names the variable '${quoted(variable)}', which has no value in this job.`,
    "correct the variable's name, or set it before this step; the output of a step is $(stepName.output) in the same job only.",
  );

const ANOTHER_UV =
  'install uv on the agent; or give the Python a pip that reaches a package index ' +
  '(PIP_INDEX_URL) or a folder of wheels (PIP_FIND_LINKS).';

export const uvUnavailable = (why: string, next = ANOTHER_UV) =>
  new LauncherError(
    'UV_UNAVAILABLE',
    `The installer uv is not on the PATH and could not be installed with pip: ${quoted(why)}.`,
    next,
  );

export const installFailed = (what: string, next: string) =>
  new LauncherError('ENVIRONMENT_INSTALL_FAILED', what, next);

export const toolDirectoryUnusable = (folder: string, why: string) =>
  installFailed(
    `The Python environment cannot be kept in ${quoted(folder)}: ${quoted(why)}.`,
    'let the account of the agent write there, or set AGENT_TOOLSDIRECTORY on the agent to a folder it may write to.',
  );

export const connectionUnsupported = (what: string) =>
  new LauncherError(
    'CONNECTION_UNSUPPORTED',
    what,
    'choose an Azure Resource Manager service connection in the input azureSubscription.',
  );

export const certificatesUnusable = (setting: string, file: string, why: string) =>
  new LauncherError(
    'CERTIFICATES_UNUSABLE',
    `${setting} names the file of trusted certificates '${quoted(file)}', which ${why}.`,
    "put a file with PEM certificates there that the agent's account may read, or correct or remove the setting.",
  );

export const taskDied = (what: string) =>
  new LauncherError(
    'TASK_DIED',
    what,
    'read the lines above; when they do not explain it, run again with the variable system.debug set to true.',
  );

/** The short text of anything that was thrown. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a file system error (ENOSPC, EACCES, ...), '' for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
