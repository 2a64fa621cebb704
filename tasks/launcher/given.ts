/**
 * What the agent gave to this task, taken out of the process's environment before anything else is
 * loaded: no child inherits it. To be imported first.
 */

/**
 * What the agent hands to the task alone; inputs may carry secrets, too. Its proxy settings are put
 * into the variables that Python and uv read (proxy.ts).
 */
const CONFIDENTIAL =
  /^(INPUT_|ENDPOINT_|SECRET_|SECUREFILE_|VSTS_TASKVARIABLE_|VSTS_(PUBLIC|SECRET)_VARIABLES$|COMMAND_CORRELATION_ID$|AGENT_PROXY)/i;

const taken = new Map<string, string>();
for (const [name, value] of Object.entries(process.env)) {
  if (CONFIDENTIAL.test(name)) {
    taken.set(name.toUpperCase(), value ?? '');
    Reflect.deleteProperty(process.env, name);
  }
}

/** Names of the public pipeline variables. */
export const publicVariables = names('PUBLIC');
const secretVariables = new Set(names('SECRET').map(environmentName));

/** Whether the agent told this pipeline variable as a secret. */
export function wasSecret(name: string): boolean {
  return secretVariables.has(environmentName(name));
}

function names(kind: 'PUBLIC' | 'SECRET'): readonly string[] {
  return JSON.parse(taken.get(`VSTS_${kind}_VARIABLES`) ?? '[]') as readonly string[];
}

/** Names of all INPUT_ variables, without the prefix and as the agent writes them. */
export function inputNames(): string[] {
  const names = [...taken.keys()].filter((name) => name.startsWith('INPUT_'));
  return names.map((name) => name.slice('INPUT_'.length));
}

/** An input's text as the agent gave it, '' when there is none. */
export function input(name: string): string {
  return taken.get(`INPUT_${environmentName(name)}`) ?? '';
}

/** A pipeline variable, secret or not; undefined when there is none. */
export function variable(name: string): string | undefined {
  const key = environmentName(name);
  return process.env[key] ?? taken.get(key) ?? taken.get(`SECRET_${key}`);
}

/** What the agent says of a service connection: its `URL`, `AUTH` or `DATA`; '' when nothing. */
export function endpoint(part: 'URL' | 'AUTH' | 'DATA', id: string): string {
  return taken.get(`ENDPOINT_${part}_${id}`.toUpperCase()) ?? '';
}

/** A variable's or input's name as the agent writes it into the environment (VarUtil.cs). */
export function environmentName(name: string): string {
  return name.replace(/[. ]/g, '_').toUpperCase();
}

/** Parameters of a service connection that are a secret. */
const SECRET_PARAMETER = /(key|certificate|token|password|secret)$/i;

/** Every secret that the agent has told this process. */
export function knownSecrets(): string[] {
  const found: string[] = [];
  for (const [name, value] of taken) {
    if (/^(SECRET_|SECUREFILE_TICKET_)/.test(name)) {
      found.push(value);
    } else if (name.startsWith('ENDPOINT_AUTH_PARAMETER_') && SECRET_PARAMETER.test(name)) {
      found.push(value);
    } else if (name.startsWith('ENDPOINT_AUTH_')) {
      found.push(...secretsOf(value));
    }
  }
  return [...found, ...Object.values(process.env).flatMap((value) => passwordIn(value ?? ''))];
}

function secretsOf(authorization: string): string[] {
  try {
    const { parameters } = JSON.parse(authorization) as { parameters?: Record<string, unknown> };
    const entries = Object.entries(parameters ?? {});
    return entries
      .filter(([name]) => SECRET_PARAMETER.test(name))
      .map(([, value]) => String(value));
  } catch {
    return []; // ENDPOINT_AUTH_SCHEME_ and the like are no JSON
  }
}

/** The passwords of addresses such as PIP_INDEX_URL or HTTPS_PROXY. */
function passwordIn(value: string): string[] {
  return [...value.matchAll(/:\/\/[^/\s:@]*:([^/\s@]+)@/g)].map((found) => found[1] ?? '');
}
