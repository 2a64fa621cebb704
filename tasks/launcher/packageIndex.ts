/**
 * Where packages come from. pip's settings (PIP_* variables, which PipAuthenticate@1 sets, and
 * pip.conf) are what administrators have; uv reads only its own, so they are translated. Settings
 * made for uv win.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { runCommand } from './command';
import { ISOLATED } from './python';

/** Settings that would change what is installed, or where; the lock and our arguments say that. */
const NOT_OURS = [
  'UV_BREAK_SYSTEM_PACKAGES',
  'UV_CONSTRAINT',
  'UV_EXCLUDE',
  'UV_NO_VERIFY_HASHES',
  'UV_OVERRIDE',
  'UV_PROJECT',
  'UV_PYTHON',
  'UV_SYSTEM_PYTHON',
  'UV_WORKING_DIR',
  'PIP_PREFIX',
  'PIP_REQUIRE_VIRTUALENV',
  'PIP_TARGET',
  'PIP_USER',
];

/**
 * The children's environment without what would lead pip or uv elsewhere. A variable that a pipeline
 * sets to nothing is not set: uv, for one, ends at an empty UV_OFFLINE.
 */
export function installerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      !NOT_OURS.includes(name.toUpperCase()) && (value?.trim() || !/^(UV|PIP)_/i.test(name)),
  );
  return Object.fromEntries(kept);
}

/** pip's settings as variables for uv, without those that are set for uv already. */
export async function uvIndexSettings(
  python: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<NodeJS.ProcessEnv> {
  const wanted: Record<string, string | undefined> = {
    // pip looks in every index. Doing the same is safe here, because every file's hash is known.
    UV_INDEX_STRATEGY: 'unsafe-best-match',
  };
  if (!hasUvIndex(env)) {
    const pip = await pipSettings(python, env, cancel);
    wanted['UV_DEFAULT_INDEX'] = pip.get('index-url');
    wanted['UV_INDEX'] = pip.get('extra-index-url');
    // pip passes over a folder that does not exist, uv refuses it.
    wanted['UV_FIND_LINKS'] = pip
      .get('find-links')
      ?.split(' ')
      .filter((place) => place.includes('://') || fs.existsSync(place))
      // uv runs elsewhere than pip would.
      .map((place) => (place.includes('://') ? place : path.resolve(place)))
      .join(',');
    wanted['UV_INSECURE_HOST'] = pip.get('trusted-host');
    wanted['SSL_CERT_FILE'] = pip.get('cert');
    if (['1', 'true', 'yes', 'on'].includes((pip.get('no-index') ?? '').toLowerCase())) {
      wanted['UV_OFFLINE'] = '1';
    }
  }
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value && !env[name]));
}

/** Whether an index is set for uv, by a variable or in a file of the user's or the machine's. */
function hasUvIndex(env: NodeJS.ProcessEnv): boolean {
  const variables = ['UV_CONFIG_FILE', 'UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL'];
  const folders = [
    env['XDG_CONFIG_HOME'] ?? path.join(os.homedir(), '.config'),
    env['APPDATA'],
    env['PROGRAMDATA'],
    '/etc',
  ];
  return (
    variables.some((name) => env[name]) ||
    folders.some((folder) => folder && fs.existsSync(path.join(folder, 'uv', 'uv.toml')))
  );
}

/** pip's settings by option name, lists joined by blanks. */
async function pipSettings(
  python: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const args = [...ISOLATED, '-m', 'pip', 'config', 'list'];
  const result = await runCommand(python, args, { env, cancel });
  for (const section of ['global', 'install']) {
    for (const line of result.stdout.split(/\r?\n/)) {
      const match = /^(\w+)\.([a-z-]+)=(['"])(.*)\3$/.exec(line);
      if (match?.[1] === section && match[2] !== undefined && match[4] !== undefined) {
        found.set(match[2], unquote(match[4]));
      }
    }
  }
  // Variables win, and are there even when this Python has no pip.
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('PIP_') && value) {
      found.set(name.slice(4).toLowerCase().replace(/_/g, '-'), value);
    }
  }
  return new Map([...found].map(([name, value]) => [name, value.trim().split(/\s+/).join(' ')]));
}

/** The text inside the quotes of Python's repr(). */
function unquote(text: string): string {
  return text.replace(/\\(.)/g, (_match, character: string) =>
    character === 'n' ? '\n' : character,
  );
}
