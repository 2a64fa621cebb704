/** The page's parts: verdicts, deployments and the reports in their frames. */

import type { Attachment } from './attachments';
import { badge, html, link, number, shown, type Child } from './dom';
import { grid } from './grid';
import { label } from './history';
import { explain, type Problem } from './problem';
import {
  parseDeployment,
  parseVerdict,
  type Check,
  type Deployment,
  type Links,
  type Verdict,
} from './verdict';

export function problemView(problem: Problem, again?: () => void): HTMLElement {
  const shownProblem = html('p', { class: 'problem' }, problem.message);
  if (again) {
    const button = html('button', { type: 'button' }, 'Try again');
    button.addEventListener('click', again);
    shownProblem.append(' ', button);
  }
  return shownProblem;
}

/** What one attachment of JSON says, or why it cannot be read. */
export async function factsView(attachment: Attachment): Promise<HTMLElement> {
  try {
    const json = await attachment.read();
    return attachment.kind === 'aml.gate.verdict'
      ? verdictView(parseVerdict(json, attachment.name))
      : deploymentView(parseDeployment(json, attachment.name));
  } catch (error) {
    return problemView(explain(error, `the attachment '${attachment.name}'`));
  }
}

function verdictView(verdict: Verdict): HTMLElement {
  const { model, passed, reason, detail, baseline, checks, links } = verdict;
  return html(
    'section',
    { class: 'card' },
    html('h3', {}, `Gate: ${model} `, badge(passed, passed ? 'passed' : 'rejected')),
    html('p', {}, reason && reason !== 'PASSED' ? html('code', {}, reason) : null, ` ${detail}`),
    baseline
      ? html(
          'p',
          { class: 'quiet' },
          'Compared with ',
          link(links.baseline ?? links.endpoint, baseline),
          '.',
        )
      : null,
    pages(links, { run: verdict.run, model: verdict.registered }),
    checks.length > 0 ? checksTable(verdict) : null,
  );
}

/** Where to go from here: one link for each page that is known. */
function pages(links: Links, names: { readonly run: string; readonly model: string }): Child {
  const found = [
    link(links.run, `Run ${names.run}`),
    link(links.model, `Model ${names.model}`),
    link(links.endpoint, 'Endpoint'),
    link(links.build, 'Build'),
  ].filter((one) => one instanceof HTMLElement);
  return found.length === 0
    ? null
    : html('ul', { class: 'pages' }, ...found.map((one) => html('li', {}, one)));
}

function checksTable({ model, checks, links }: Verdict): HTMLElement {
  return grid(
    `Checks of ${model}`,
    ['Metric', 'Candidate', 'Baseline', 'Gain', 'Result'],
    checks.map((check) => [
      label(check),
      {
        shown: number(check.candidate, links.run, 'Open the run'),
        order: check.candidate,
      },
      {
        shown: number(check.baseline, links.baseline ?? links.endpoint, 'Open the baseline'),
        order: check.baseline,
      },
      { shown: gain(check), order: check.gain },
      {
        shown: check.passed
          ? badge(true, 'passed')
          : badge(false, [check.reason || 'failed', check.severity].filter(Boolean).join(', ')),
        order: check.passed ? 'passed' : 'failed',
      },
    ]),
    'Result',
  );
}

function gain({ gain: value, low, high }: Check): string {
  const interval = low === null || high === null ? '' : ` [${shown(low)}, ${shown(high)}]`;
  return shown(value) + interval;
}

function deploymentView(deployment: Deployment): HTMLElement {
  const { service, state, problem, model, version, revision, scoringUri, links } = deployment;
  const registered = [model, version].filter(Boolean).join(':');
  const facts = [
    ['Model', registered],
    ['Revision', revision],
    ['Scoring address', scoringUri],
  ].filter(([, value]) => value);
  return html(
    'section',
    { class: 'card' },
    html('h3', {}, `Deployment: ${service} `, badge(state === 'Healthy', state || 'state unknown')),
    problem ? html('p', {}, problem) : null,
    pages(links, { run: '', model: registered }),
    html(
      'dl',
      {},
      ...facts.flatMap(([name, value]) => [
        html('dt', {}, name ?? ''),
        html('dd', {}, value ?? ''),
      ]),
    ),
  );
}

/** A report behind its heading; it is fetched when it is opened. */
export function reportView(attachment: Attachment, open: boolean): HTMLElement {
  const what = attachment.kind === 'aml.gate.report' ? 'Gate report' : 'Deployment report';
  const title = `${what}: ${attachment.name}`;
  const details = html('details', { class: 'report' }, html('summary', {}, title));
  let asked = false;
  details.addEventListener('toggle', () => {
    if (details.open && !asked) {
      asked = true;
      void fill(details, attachment, title);
    }
  });
  details.open = open;
  return details;
}

async function fill(details: HTMLElement, attachment: Attachment, title: string): Promise<void> {
  const waiting = html('p', { role: 'status' }, 'Loading the report…');
  details.append(waiting);
  try {
    const frame = html('iframe', { sandbox: '', title });
    // The report is foreign: an empty sandbox runs no script and gives it an origin of its own.
    frame.srcdoc = await attachment.read();
    waiting.replaceWith(frame);
  } catch (error) {
    waiting.replaceWith(problemView(explain(error, `the report '${attachment.name}'`)));
  }
}
