/** Finding a Python that the task's environment can be made from. */

import * as fs from 'node:fs';
import * as path from 'node:path';

import * as tl from 'azure-pipelines-task-lib/task';

import { runCommand } from './command';
import { pythonNotFound, pythonUnsupported } from './errors';

export interface Python {
  readonly executable: string;
  /** Full version, for example 3.11.9. */
  readonly version: string;
  /** Operating system, processor, C library and the place of the installation, in one text. */
  readonly build: string;
}

const VERSIONS = ['3.12', '3.11', '3.10'];
const WINDOWS = process.platform === 'win32';
const PROBE_SECONDS = 30;
const PROBE = `
import json, platform, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "build": " ".join([sysconfig.get_platform(), platform.machine(), platform.libc_ver()[0],
                       sys.base_prefix]),
}))
`;

interface Candidate {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The first CPython 3.10 to 3.12 of: the input pythonPath alone when it is given; else the one that
 * UsePythonVersion chose, the PATH, and the Windows launcher.
 * @throws LauncherError PYTHON_NOT_FOUND or PYTHON_UNSUPPORTED.
 */
export async function findPython(env: NodeJS.ProcessEnv, cancel: AbortSignal): Promise<Python> {
  const wanted = tl.getInput('pythonPath') ?? '';
  const unsupported: string[] = [];
  for (const candidate of wanted ? given(wanted) : onAgent()) {
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
      ? `'${wanted}', the input pythonPath`
      : `python3 and python on the PATH${WINDOWS ? ' and the launcher py' : ''}`,
  );
}

function given(wanted: string): Candidate[] {
  const isFolder = fs.existsSync(wanted) && fs.statSync(wanted).isDirectory();
  return isFolder ? inFolder(wanted) : [{ command: wanted, args: [] }];
}

function inFolder(folder: string): Candidate[] {
  const names = WINDOWS
    ? ['python.exe', 'Scripts/python.exe']
    : ['bin/python3', 'bin/python', 'python3', 'python'];
  return names
    .map((name) => path.join(folder, name))
    .filter((file) => fs.existsSync(file))
    .map((command) => ({ command, args: [] }));
}

function onAgent(): Candidate[] {
  const chosen = tl.getVariable('pythonLocation');
  // The plain names first, as a user would expect; the others for agents whose python3 is newer.
  const names = ['python3', 'python', ...VERSIONS.map((version) => `python${version}`)];
  const candidates = [...(chosen ? inFolder(chosen) : []), ...names.flatMap(onPath)];
  for (const command of WINDOWS ? onPath('py') : []) {
    candidates.push(...VERSIONS.map((version) => ({ ...command, args: [`-${version}`] })));
  }
  return candidates;
}

/** Every program of that name on the PATH: the first may be a shim that leads nowhere. */
function onPath(name: string): Candidate[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  const file = WINDOWS ? `${name}.exe` : name;
  const found = folders.map((folder) => path.join(folder, file)).filter((each) => isFile(each));
  return [...new Set(found)].map((command) => ({ command, args: [] }));
}

function isFile(file: string): boolean {
  return fs.existsSync(file) && fs.statSync(file).isFile();
}

/** What a candidate says of itself; undefined when it is no Python (the Store's stub, a typo). */
async function probe(
  candidate: Candidate,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<(Python & { implementation: string }) | undefined> {
  const args = [...candidate.args, '-I', '-c', PROBE];
  const result = await runCommand(candidate.command, args, {
    env,
    cancel,
    timeoutSeconds: PROBE_SECONDS,
  });
  try {
    return JSON.parse(result.stdout) as Python & { implementation: string };
  } catch {
    tl.debug(`${candidate.command} is not usable: ${result.output}`);
    return undefined;
  }
}
