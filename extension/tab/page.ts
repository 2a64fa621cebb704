/** Puts a subject on the page, and puts it there again only when something has changed. */

import type { Build, BuildRestClient } from 'azure-devops-extension-api/Build';

import type { Kind } from './attachments';
import { html, required } from './dom';
import { alike, BUILDS, pastBuilds, type Judged } from './history';
import { historyView } from './past';
import { explain, Problem } from './problem';
import type { Group, Subject } from './subject';
import { factsView, problemView, reportView } from './view';

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
    const views = html('div', {});
    const foot = html('div', { role: 'status' });
    into.replaceChildren(heading, views, foot);
    await this.older(build, [], undefined, views, foot);
  }

  /** Put one more page of builds into `views`; `foot` tells how it goes and leads to the next. */
  private async older(
    build: Build,
    newer: readonly Judged[],
    from: string | undefined,
    views: HTMLElement,
    foot: HTMLElement,
  ): Promise<void> {
    foot.replaceChildren(from === undefined ? 'Loading the last builds…' : 'Loading older builds…');
    try {
      const past = await pastBuilds(this.builds, alike(build), from);
      const judged = [...past.judged, ...newer];
      if (past.judged.length > 0) {
        redraw(views, historyView(judged, build.id));
      }
      const none = judged.length === 0 ? 'None of the last builds has a verdict of the gate. ' : '';
      foot.replaceChildren(none);
      const { older } = past;
      if (older) {
        const more = html('button', { type: 'button' }, `Show ${String(BUILDS)} older builds`);
        more.addEventListener('click', () => void this.older(build, judged, older, views, foot));
        foot.append(more);
        if (from !== undefined) {
          more.focus(); // The button that was pressed is gone.
        }
      }
    } catch (error) {
      const again = (): void => void this.older(build, newer, from, views, foot);
      foot.replaceChildren(problemView(explain(error, 'the last builds'), again));
    }
  }
}

/** Replace what is shown, and open again what a person had opened. */
function redraw(into: HTMLElement, views: readonly HTMLElement[]): void {
  const open = new Set(
    [...into.querySelectorAll('details[open] > summary')].map((one) => one.textContent),
  );
  into.replaceChildren(...views);
  for (const details of into.querySelectorAll('details')) {
    details.open = open.has(details.querySelector('summary')?.textContent ?? '');
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
