/** Finding a Python that the task's environment can be made from. */

import * as fs from 'node:fs';

import { debug } from './agentCommands';
import { runCommand } from './command';
import { pythonNotFound, pythonUnsupported, quoted } from './errors';
import { variable } from './given';
import { onPath } from './searchPath';
import { HERE, type System } from './system';

export interface Python {
  readonly executable: string;
  /** Full version, for example 3.11.9. */
  readonly version: string;
  /** Operating system, processor, C library, its version and the place of the installation. */
  readonly build: string;
}

/** Python's isolated mode: no module from the working directory, no PYTHON* variable, no user site. */
export const ISOLATED = ['-I'] as const;

const VERSIONS = ['3.12', '3.11', '3.10'];
const PROBE_SECONDS = 30;
const PROBE = `
import json, platform, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "build": " ".join([sysconfig.get_platform(), platform.machine(), *platform.libc_ver(),
                       sys.base_prefix]),
}))
`;

interface Candidate {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The first CPython 3.10 to 3.12 of: `wanted`, the input pythonPath, alone when it is given; else the
 * one that UsePythonVersion chose, the PATH, and the Windows launcher.
 * @throws LauncherError PYTHON_NOT_FOUND or PYTHON_UNSUPPORTED.
 */
export async function findPython(
  wanted: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<Python> {
  const unsupported: string[] = [];
  for (const candidate of candidates(wanted, env)) {
    const found = await probe(candidate, env, cancel);
    if (found && VERSIONS.some((version) => found.version.startsWith(version + '.'))) {
      if (found.implementation === 'CPython') {
        return found;
      }
    }
    if (found) {
      unsupported.push(`${found.implementation} ${found.version} (${found.executable})`);
    }
  }
  if (unsupported.length > 0) {
    throw pythonUnsupported([...new Set(unsupported)]);
  }
  throw pythonNotFound(
    wanted
      ? `'${quoted(wanted)}', the input pythonPath`
      : `python3 and python on the PATH${HERE.isWindows ? ' and the launcher py' : ''}`,
  );
}

/** The programs to try, in this order; see {@link findPython}. */
export function candidates(
  wanted: string,
  env: NodeJS.ProcessEnv,
  system: System = HERE,
): Candidate[] {
  return wanted ? given(wanted, env, system) : onAgent(env, system);
}

/** A bare name is a program on the PATH; else it is, like a path, relative to the sources. */
function given(wanted: string, env: NodeJS.ProcessEnv, system: System): Candidate[] {
  const isName = !/[/\\]/.test(wanted);
  const named = isName ? onPath(wanted, env, system) : [];
  if (named.length > 0) {
    return bare(named);
  }
  const place = system.path.resolve(wanted);
  const isFolder = fs.existsSync(place) && fs.statSync(place).isDirectory();
  return isFolder ? inFolder(place, system) : bare([place]);
}

function inFolder(folder: string, system: System): Candidate[] {
  const names = system.isWindows
    ? ['python.exe', 'Scripts/python.exe']
    : ['bin/python3', 'bin/python', 'python3', 'python'];
  return bare(
    names.map((name) => system.path.join(folder, name)).filter((file) => fs.existsSync(file)),
  );
}

function onAgent(env: NodeJS.ProcessEnv, system: System): Candidate[] {
  const chosen = variable('pythonLocation');
  // The plain names first, as a user would expect; the others for agents whose python3 is newer.
  const names = ['python3', 'python', ...VERSIONS.map((version) => `python${version}`)];
  const found = [
    ...(chosen ? inFolder(chosen, system) : []),
    ...bare(names.flatMap((name) => onPath(name, env, system))),
  ];
  for (const command of system.isWindows ? onPath('py', env, system) : []) {
    found.push(...VERSIONS.map((version) => ({ command, args: [`-${version}`] })));
  }
  return found;
}

function bare(commands: readonly string[]): Candidate[] {
  return commands.map((command) => ({ command, args: [] }));
}

/** What a candidate says of itself; undefined when it is no Python (the Store's stub, a typo). */
async function probe(
  candidate: Candidate,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<(Python & { implementation: string }) | undefined> {
  const args = [...candidate.args, ...ISOLATED, '-c', PROBE];
  const result = await runCommand(candidate.command, args, {
    env,
    cancel,
    timeoutSeconds: PROBE_SECONDS,
  });
  try {
    return JSON.parse(result.stdout) as Python & { implementation: string };
  } catch {
    debug(`${quoted(candidate.command)} is not usable: ${quoted(result.output)}`);
    return undefined;
  }
}
