/**
 * What the task's Python asks of the agent: JSON lines on a private pipe, made into commands by
 * task-lib, which escapes them. Nothing that Python prints can become a command.
 */

import { command, setSecret, setVariable, warning } from './agentCommands';
import { reason } from './errors';
import { redaction } from './redaction';

const RESULTS = ['Succeeded', 'SucceededWithIssues', 'Failed', 'Canceled'] as const;
export type Result = (typeof RESULTS)[number];

export interface Conclusion {
  readonly result: Result;
  readonly message: string;
}

type Message = Record<string, unknown>;

export class Channel {
  /** The task's own result; the last one counts. */
  conclusion: Conclusion | undefined;
  /** Whether the task has shown an error already, so that its result need not show one again. */
  hasShownError = false;

  /** @param support address of the page that explains each code, if there is one. */
  constructor(private readonly support?: string) {}

  /** Do what one line asks; a line that cannot be understood becomes a warning. */
  handle(line: string): void {
    try {
      this.obey(JSON.parse(line) as Message);
    } catch (error) {
      // Not the line itself: it may hold a secret.
      warning(`A message of the task was not understood: ${reason(error)}`);
    }
  }

  /** Show an error or a warning on the run's page, with the way to what is said of its code. */
  showIssue(level: 'error' | 'warning', code: string, message: string): void {
    this.hasShownError ||= level === 'error';
    const more = this.support && code ? ` See ${this.support}#${code.toLowerCase()}` : '';
    command('task.logissue', { type: level, code }, redaction.text(message) + more);
  }

  private obey(message: Message): void {
    const text = (name: string): string => {
      const value = message[name] ?? '';
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
        throw new Error(`${name} is not a text`);
      }
      return String(value);
    };
    switch (message['type']) {
      case 'variable': {
        const isSecret = message['secret'] === true;
        const isOutput = message['output'] !== false;
        setVariable(text('name'), text('value'), { isSecret, isOutput });
        return;
      }
      case 'secret':
        setSecret(text('value'));
        return;
      case 'progress':
        command(
          'task.setprogress',
          { value: String(Number(message['percent'])) },
          redaction.text(text('text')),
        );
        return;
      case 'issue':
        this.showIssue(
          message['level'] === 'error' ? 'error' : 'warning',
          text('code'),
          text('message'),
        );
        return;
      case 'summary':
        command('task.uploadsummary', {}, published(text('path')));
        return;
      case 'attachment':
        command(
          'task.addattachment',
          { type: text('kind'), name: text('name') },
          published(text('path')),
        );
        return;
      case 'testresults':
        command(
          'results.publish',
          {
            type: 'JUnit',
            mergeResults: 'true',
            runTitle: text('title'),
            publishRunAttachments: 'true',
            resultFiles: published(text('path')),
          },
          '',
        );
        return;
      case 'result': {
        const result = RESULTS.find((known) => known === message['result']);
        if (!result) {
          throw new Error(`there is no result ${text('result')}`);
        }
        this.conclusion = { result, message: text('message') };
        return;
      }
      default:
        throw new Error(`there is no message of type ${text('type')}`);
    }
  }
}

/** Tell the agent the result. Without an issue: it was shown already. */
export function complete({ result, message }: Conclusion): void {
  command('task.complete', { result }, redaction.text(message));
}

/** The path of a file that the agent is to publish; the agent masks logs, not files. */
function published(path: string): string {
  redaction.file(path);
  return path;
}
