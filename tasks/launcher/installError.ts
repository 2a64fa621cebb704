/** What uv or pip said when an installation failed, as one sentence and a way out. */

import { installFailed, type LauncherError, toolDirectoryUnusable, uvUnavailable } from './errors';

const OTHER_INDEX =
  'name a package index that the agent reaches (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, ' +
  'UV_DEFAULT_INDEX, or PipAuthenticate@1), or a folder of wheels (UV_FIND_LINKS), or set ' +
  "UV_OFFLINE=1 when uv's cache on the agent has everything; behind a proxy, check the agent's proxy and certificate settings.";

interface Cause {
  readonly sign: RegExp;
  readonly what: string;
  readonly next: string;
}

/** In this order: a full disk, for one, is also a failed download. */
const CAUSES: readonly Cause[] = [
  {
    sign: /hash mismatch/i,
    what: 'a downloaded package is not the one that the lock names',
    next: "have the package index checked, as it serves altered files; or empty uv's cache on the agent with `uv cache clean` and run again.",
  },
  {
    sign: /no space left|os error 28|ENOSPC|not enough space|os error 112|EDQUOT|quota exceeded/i,
    what: 'the disk is full',
    next: "free about 2 GB on the disks of the tool directory and of uv's cache, or set AGENT_TOOLSDIRECTORY and UV_CACHE_DIR to other disks.",
  },
  {
    sign: /network was disabled|network connectivity is disabled/i,
    what: "the network is disabled (UV_OFFLINE) and uv's cache does not hold every package",
    next: 'run once without UV_OFFLINE, or name a folder that holds all wheels with UV_FIND_LINKS.',
  },
  {
    sign: /no wheels? with a matching|not compatible with|no matching (version|distribution)/i,
    what: 'a package has no wheel for this platform or Python',
    next: 'choose another Python with pythonPath, or an agent on x86-64 Windows, Linux or macOS.',
  },
  {
    sign: /(?<![\w.])(401|403)(?!\w|\.\d)|unauthorized|forbidden/i,
    what: 'the package index refused the agent',
    next: 'add a PipAuthenticate@1 step before this task, or put valid credentials into the index settings of the agent.',
  },
  {
    sign: /failed to fetch|request failed|error sending request|connect|dns|certificate|timed? ?out|tunnel/i,
    what: 'the package index could not be reached',
    next: OTHER_INDEX,
  },
  {
    sign: /no solution found|was not found in the/i,
    what: 'the package index does not have a package that the lock names',
    next: OTHER_INDEX,
  },
];

/**
 * The error for what an installer printed.
 * @param tools our folder in the tool directory, for the message.
 */
export function explain(output: string, tools: string): LauncherError {
  // From the first error on; before it are only notes on progress. uv before 0.9 draws a cross.
  const said = output.slice(Math.max(0, output.search(/^\s*(error:|×)/im)));
  const flat = said.replace(/\s+/g, ' ');
  if (/permission denied|read-only file system|os error (13|30|5)\b/i.test(flat)) {
    return toolDirectoryUnusable(tools, brief(said));
  }
  const cause = CAUSES.find(({ sign }) => sign.test(flat));
  return installFailed(
    `The Python environment could not be installed: ${cause ? `${cause.what} (${brief(said)})` : brief(said)}.`,
    cause?.next ?? "read uv's lines above; they name the package that failed.",
  );
}

/**
 * The error for what pip printed when it could not install uv.
 * @param tools folder that it was to go to, for the message.
 */
export function explainPip(output: string, tools: string): LauncherError {
  const why = pipReason(output);
  if (/permission denied|read-only file system|errno (13|30)\b/i.test(why)) {
    return toolDirectoryUnusable(tools, why);
  }
  if (/hash/i.test(why) && /do not match/i.test(why)) {
    const cause = CAUSES.find(({ sign }) => sign.test('hash mismatch'));
    return uvUnavailable(why, cause?.next);
  }
  // The index that pip could not reach is uvUnavailable's own advice.
  const cause = CAUSES.slice(0, 2).find(({ sign }) => sign.test(why));
  return uvUnavailable(cause ? `${cause.what} (${why})` : why, cause?.next);
}

/**
 * Why pip failed: what broke its last connection, and its errors; of an exception, its last line. The
 * last error alone says only that nothing was found.
 */
function pipReason(output: string): string {
  const lines = output.split(/\r?\n/).map((line) => line.trim());
  const broken = [...output.matchAll(/connection broken by '(.*)': \//g)].at(-1)?.[1];
  const errors = lines
    .filter((line) => /^error: (?!exception:)/i.test(line))
    .map((line) => line.replace(/^error: /i, ''));
  const told = [
    ...(broken ? [broken.replace(/<[^>]*>:?\s*/g, '')] : []),
    ...(errors.length > 0 ? errors : lines.filter(Boolean).slice(-1)),
  ];
  return told.join('; ').replace(/\.$/, '') || 'pip said nothing';
}

/** The error and its causes in one line. */
function brief(said: string): string {
  const lines = said
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^(error:|cause:|caused by:|[×│├╰─▶ ]+)\s*/i, '')
        .replace(/[.:]$/, ''),
    )
    .filter((line) => line && !/^hint/i.test(line));
  const line = lines.slice(0, 6).join(': ');
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
