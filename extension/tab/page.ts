/** Puts a subject on the page, and puts it there again only when something has changed. */

import type { Build, BuildRestClient } from 'azure-devops-extension-api/Build';

import type { Kind } from './attachments';
import { html } from './dom';
import { judgedBuilds } from './history';
import { explain, Problem } from './problem';
import type { Group, Subject } from './subject';
import { factsView, historyView, problemView, reportView } from './view';

const FACTS: readonly Kind[] = ['aml.gate.verdict', 'aml.deploy.result'];

export class Page {
  private readonly title = required('title');
  private readonly status = required('status');
  private readonly content = required('content');
  private turn = 0;
  private shown = '';

  constructor(private readonly builds: BuildRestClient) {}

  /** Show what `load` finds; a later call overtakes an earlier one that is still under way. */
  async show(load: () => Promise<Subject>, what: string): Promise<void> {
    const turn = (this.turn += 1);
    try {
      const subject = await load();
      if (turn === this.turn) {
        await this.render(subject, turn);
      }
    } catch (error) {
      if (turn === this.turn) {
        this.shown = '';
        this.content.replaceChildren();
        this.status.replaceChildren(
          problemView(explain(error, what), () => {
            this.status.replaceChildren('Loading the reports…');
            void this.show(load, what);
          }),
        );
      }
    }
  }

  private async render(subject: Subject, turn: number): Promise<void> {
    const state = fingerprint(subject);
    if (state === this.shown) {
      return; // The host tells of every second of a running build.
    }
    this.title.textContent = subject.title;
    const count = subject.groups.flatMap((group) => group.attachments).length;
    if (count === 0 && subject.groups.every((group) => !group.problem)) {
      this.content.replaceChildren();
      this.status.replaceChildren(html('p', {}, nothing(subject).message));
      this.shown = state;
      return;
    }
    const groups = await Promise.all(subject.groups.map(groupView));
    if (turn !== this.turn) {
      return;
    }
    const past = html('section', { 'aria-labelledby': 'history', class: 'history' });
    this.content.replaceChildren(...groups.map((one) => one.facts).flat(), past);
    this.content.append(...groups.map((one) => one.reports).flat());
    this.status.replaceChildren(
      subject.running ? html('p', {}, 'The build is still running; more may come.') : '',
    );
    this.shown = state;
    if (subject.build) {
      await this.history(subject.build, past);
    } else {
      past.remove();
    }
  }

  private async history(build: Build, into: HTMLElement): Promise<void> {
    const branch = build.sourceBranch.replace(/^refs\/heads\//, '');
    const heading = html(
      'h2',
      { id: 'history' },
      `History of ${build.definition.name} on ${branch}`,
    );
    const waiting = html('p', { role: 'status' }, 'Loading the last builds…');
    into.replaceChildren(heading, waiting);
    try {
      const judged = await judgedBuilds(this.builds, build);
      const views = historyView(judged, build.id);
      if (views.length === 0) {
        waiting.textContent = 'None of the last builds has a verdict of the gate.';
      } else {
        into.replaceChildren(heading, ...views);
      }
    } catch (error) {
      const again = (): void => void this.history(build, into);
      waiting.replaceWith(problemView(explain(error, 'the last builds'), again));
    }
  }
}

interface GroupView {
  readonly facts: readonly HTMLElement[];
  readonly reports: readonly HTMLElement[];
}

async function groupView({ heading, attachments, problem }: Group, at: number): Promise<GroupView> {
  const facts = await Promise.all(
    attachments.filter((one) => FACTS.includes(one.kind)).map(factsView),
  );
  const reports = attachments
    .filter((one) => !FACTS.includes(one.kind))
    .map((one, index) => reportView(one, at === 0 && index === 0));
  const named = (kind: string, of: readonly HTMLElement[]): HTMLElement[] =>
    of.length === 0 ? [] : [html('h2', {}, heading ? `${heading}: ${kind}` : kind), ...of];
  return {
    facts: named('Results', problem ? [problemView(problem), ...facts] : facts),
    reports: named('Reports', reports),
  };
}

function nothing({ running, build }: Subject): Problem {
  const which = build ? 'This build' : 'This release';
  return running
    ? new Problem(`${which} has no report yet`, 'wait for the gate or the deployment to end.')
    : new Problem(
        `${which} has no report of a gate or a deployment`,
        'open one that ran EvaluateAndGate@1 or DeployToAks@1, or add one of these tasks.',
      );
}

function fingerprint({ title, running, groups }: Subject): string {
  return JSON.stringify([
    title,
    running,
    groups.map(({ attachments, problem }) => [attachments.map(({ key }) => key), problem?.message]),
  ]);
}

function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`index.html has no #${id}`);
  }
  return found;
}
