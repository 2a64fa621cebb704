/** The page's parts: verdicts, deployments, the history and the reports in their frames. */

import type { Attachment } from './attachments';
import { chart } from './chart';
import { html, link, shown, table } from './dom';
import { label, models, seriesOf, type Judged, type Series } from './history';
import { explain, type Problem } from './problem';
import {
  parseDeployment,
  parseVerdict,
  type Check,
  type Deployment,
  type Verdict,
} from './verdict';

/** Charts that are shown at once; the others are a key press away. */
const CHARTS = 6;

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
  const { model, passed, reason, detail, baseline, checks } = verdict;
  return html(
    'section',
    { class: 'card' },
    html('h3', {}, `Gate: ${model} `, badge(passed, passed ? 'passed' : 'rejected')),
    html('p', {}, reason && reason !== 'PASSED' ? html('code', {}, reason) : null, ` ${detail}`),
    baseline ? html('p', { class: 'quiet' }, `Compared with ${baseline}.`) : null,
    checks.length > 0 ? checksTable(model, checks) : null,
  );
}

function checksTable(model: string, checks: readonly Check[]): HTMLElement {
  return table(
    `Checks of ${model}`,
    ['Metric', 'Candidate', 'Baseline', 'Gain', 'Result'],
    checks.map((check) => [
      label(check),
      shown(check.candidate),
      shown(check.baseline),
      gain(check),
      check.passed
        ? badge(true, 'passed')
        : badge(false, [check.reason || 'failed', check.severity].filter(Boolean).join(', ')),
    ]),
  );
}

function gain({ gain: value, low, high }: Check): string {
  const interval = low === null || high === null ? '' : ` [${shown(low)}, ${shown(high)}]`;
  return shown(value) + interval;
}

function deploymentView(deployment: Deployment): HTMLElement {
  const { service, state, problem, model, version, revision, scoringUri } = deployment;
  const facts = [
    ['Model', [model, version].filter(Boolean).join(':')],
    ['Revision', revision],
    ['Scoring address', scoringUri],
  ].filter(([, value]) => value);
  return html(
    'section',
    { class: 'card' },
    html('h3', {}, `Deployment: ${service} `, badge(state === 'Healthy', state || 'state unknown')),
    problem ? html('p', {}, problem) : null,
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

/** Shape and word beside the colour, for those who see no colour. */
function badge(good: boolean, text: string): HTMLElement {
  return html(
    'span',
    { class: good ? 'badge passed' : 'badge rejected' },
    html('span', { 'aria-hidden': 'true' }, good ? '✓ ' : '✕ '),
    text,
  );
}

/** The charts of every model, each model with the same numbers as a table. */
export function historyView(builds: readonly Judged[], current: number): HTMLElement[] {
  return models(builds).map((model) => {
    const series = seriesOf(builds, model);
    const charts = series
      .filter((one) => one.points.some(({ value }) => value !== null))
      .map((one) => html('figure', {}, html('figcaption', {}, one.label), chart(one, current)));
    const more = charts.slice(CHARTS);
    return html(
      'section',
      { class: 'card' },
      html('h3', {}, model),
      html(
        'p',
        { class: 'quiet legend' },
        'Disc: passed. Cross: rejected. Ring: this build. Dashed: the baseline.',
      ),
      html('div', { class: 'charts' }, ...charts.slice(0, CHARTS)),
      more.length > 0
        ? html(
            'details',
            {},
            html('summary', {}, `${String(more.length)} more charts of ${model}`),
            html('div', { class: 'charts' }, ...more),
          )
        : null,
      html(
        'details',
        {},
        html('summary', {}, `History of ${model} as a table`),
        historyTable(model, series),
      ),
    );
  });
}

function historyTable(model: string, series: readonly Series[]): HTMLElement {
  const points = series[0]?.points ?? [];
  return table(
    `History of ${model}`,
    ['Build', 'Verdict', ...series.map((one) => one.label)],
    points
      .map(({ build, passed }, index) => [
        link(build.address, build.number),
        badge(passed, passed ? 'passed' : 'rejected'),
        ...series.map((one) => shown(one.points[index]?.value ?? null)),
      ])
      .toReversed(),
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
