/**
 * The environment of our children: the agent's own, without anything the agent gave to the task in
 * confidence, and with the agent's proxy and certificate settings in the form that Python and uv
 * read. The agent itself does not translate them (azure-pipelines-tasks#17752).
 */

import * as fs from 'node:fs';

import { debug, setSecret, warning } from './agentCommands';
import { certificatesUnusable, errorCode } from './errors';
import { variable } from './given';
import { absoluteFolders } from './searchPath';

/** Settings of the user's Python that would change ours. */
const FOREIGN_PYTHON = /^(PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PYTHONSAFEPATH|VIRTUAL_ENV)$/i;

/** This machine itself, and Azure's metadata service, which gives its managed identity's tokens. */
const NEVER_BY_PROXY = ['localhost', '127.0.0.1', '169.254.169.254'];

/** What Python's requests and its ssl module, and uv, read. */
const AUTHORITIES = ['REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'];

/**
 * The environment for the children; what is set already wins over the agent's settings.
 * @throws LauncherError CERTIFICATES_UNUSABLE.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  // Windows looks for a program such as git in the working directory first, unless this is set.
  const env: NodeJS.ProcessEnv = { NoDefaultCurrentDirectoryInExePath: '1' };
  for (const [name, value] of Object.entries(process.env)) {
    if (!FOREIGN_PYTHON.test(name)) {
      // Windows writes it Path; we look it up by one name.
      const isPath = name.toUpperCase() === 'PATH';
      env[isPath ? 'PATH' : name] = isPath ? absoluteFolders(value ?? '') : value;
    }
  }
  const proxy = agentProxy();
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) {
    setBothCases(env, name, env[name] ?? env[name.toLowerCase()] ?? proxy);
  }
  if (env['HTTPS_PROXY'] ?? env['HTTP_PROXY']) {
    const listed = env['NO_PROXY'] ?? env['no_proxy'] ?? agentBypass().join(',');
    const hosts = listed.split(',').map((host) => host.trim());
    setBothCases(
      env,
      'NO_PROXY',
      [...new Set([...hosts, ...NEVER_BY_PROXY])].filter(Boolean).join(','),
    );
  }
  addAuthorities(env);
  return env;
}

/**
 * Python would fail with each request, or trust nobody, where such a file is not there.
 * @throws LauncherError CERTIFICATES_UNUSABLE.
 */
function addAuthorities(env: NodeJS.ProcessEnv): void {
  const authorities = variable('Agent.CAInfo');
  for (const name of AUTHORITIES) {
    const own = env[name]?.trim();
    if (own) {
      checkAuthorities(name, own);
    } else if (authorities) {
      checkAuthorities('The agent setting Agent.CAInfo (--sslcacert)', authorities);
      env[name] = authorities;
    } else {
      // Set to nothing, it would be a file of that name.
      Reflect.deleteProperty(env, name);
    }
  }
}

function checkAuthorities(setting: string, file: string): void {
  let found: string;
  try {
    if (fs.statSync(file).isDirectory()) {
      return; // OpenSSL's folder of certificates
    }
    found = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
    const why = isMissing ? 'does not exist' : `cannot be read (${errorCode(error)})`;
    throw certificatesUnusable(setting, file, why);
  }
  if (!/-----BEGIN [A-Z ]*CERTIFICATE-----/.test(found)) {
    throw certificatesUnusable(setting, file, 'holds no certificate');
  }
}

function setBothCases(env: NodeJS.ProcessEnv, name: string, value: string | undefined): void {
  if (value) {
    env[name] = value;
    env[name.toLowerCase()] = value;
  }
}

/** The agent's proxy as an URL with its user and password, or undefined. */
function agentProxy(): string | undefined {
  const address = variable('Agent.ProxyUrl');
  const user = variable('Agent.ProxyUsername');
  if (!address || !user || !URL.canParse(address)) {
    return address;
  }
  const password = variable('Agent.ProxyPassword') ?? '';
  const url = new URL(address);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  if (url.password !== password) {
    // The agent masks the password as it was typed; this form of it must not be shown either.
    setSecret(url.password);
  }
  return url.href.replace(/\/$/, '');
}

/** The agent's bypass list as hosts for NO_PROXY; it is a JSON list of regular expressions. */
function agentBypass(): string[] {
  const text = variable('Agent.ProxyBypassList');
  if (!text) {
    return [];
  }
  let patterns: unknown;
  try {
    patterns = JSON.parse(text);
  } catch {
    patterns = undefined;
  }
  if (!Array.isArray(patterns)) {
    warning(`Agent.ProxyBypassList is not a JSON list and was left out: ${text}`);
    return [];
  }
  return patterns.flatMap((pattern) => {
    const host = hostOf(String(pattern));
    if (host === undefined) {
      debug(`proxy bypass ${String(pattern)} cannot be said in NO_PROXY and was left out`);
    }
    return host === undefined ? [] : [host];
  });
}

/**
 * A bypass pattern as NO_PROXY knows it: a host, or `.domain` for everything below a domain;
 * undefined when the pattern says more than that.
 */
export function hostOf(pattern: string): string | undefined {
  const host = pattern
    .replace(/^\^/, '')
    .replace(/^https?\??:\\?\/\\?\//, '')
    .replace(/^\.\*(?=\\?\.)/, '')
    .replace(/^\*(?=\\?\.)/, '')
    .replace(/\$$/, '')
    .replace(/\\?\/?(\.\*)?$/, '')
    .replace(/\\([.\-:/])/g, '$1');
  return /^[A-Za-z0-9.:_-]+$/.test(host) ? host : undefined;
}
