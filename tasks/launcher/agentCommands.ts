/**
 * Commands to the agent, escaped by task-lib. Only that part of task-lib is taken: the rest is a
 * library for tasks that work in Node, three quarters of a launcher, in each of the tasks.
 */

import * as os from 'node:os';

import { TaskCommand } from 'azure-pipelines-task-lib/taskcommand';

import { environmentName, variable, wasSecret } from './given';
import { redaction } from './redaction';

const secret = new Set<string>();

/** Write one command; a property without text is left out. */
export function command(
  name: string,
  properties: Readonly<Record<string, string>>,
  data: string,
): void {
  process.stdout.write(new TaskCommand(name, properties, data).toString() + os.EOL);
}

/** Show a warning on the run's page. */
export function warning(text: string): void {
  command('task.logissue', { type: 'warning' }, redaction.text(text));
}

/** Write a line of the debug log, which the agent shows while system.debug is set. */
export function debug(text: string): void {
  if (variable('System.Debug')?.toLowerCase() === 'true') {
    command('task.debug', {}, redaction.text(text));
  }
}

/**
 * Set a pipeline variable; what was a secret once stays one.
 * @throws Error when it has no name, or is a secret of several lines.
 */
export function setVariable(
  name: string,
  value: string,
  options: { readonly isSecret: boolean; readonly isOutput: boolean },
): void {
  if (!name) {
    throw new Error('a variable has no name');
  }
  const key = environmentName(name);
  const isSecret = options.isSecret || secret.has(key) || wasSecret(name);
  if (isSecret) {
    checkLines(value);
    secret.add(key);
    redaction.add(value);
  }
  debug(`set ${name}=${value}`);
  const properties = {
    variable: name,
    isOutput: String(options.isOutput),
    issecret: String(isSecret),
  };
  command('task.setvariable', properties, value);
}

/**
 * Let the agent mask a text in all logs.
 * @throws Error when it has several lines.
 */
export function setSecret(value: string): void {
  if (value) {
    checkLines(value);
    redaction.add(value);
    command('task.setsecret', {}, value);
  }
}

/** The agent reads its commands line by line and would mask only the whole. */
function checkLines(value: string): void {
  const allowed = variable('System.UnsafeAllowMultilineSecret')?.toLowerCase() === 'true';
  if (/[\r\n]/.test(value) && !allowed) {
    throw new Error('a secret has several lines');
  }
}
