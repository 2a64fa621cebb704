/** The widget of a dashboard: the last verdict on a model, and one of its metrics over the builds. */

import { getClient } from 'azure-devops-extension-api';
import { BuildRestClient } from 'azure-devops-extension-api/Build';
import {
  WidgetStatusHelper,
  type IConfigurableWidget,
  type WidgetSettings,
  type WidgetStatus,
} from 'azure-devops-extension-api/Dashboard';
import * as SDK from 'azure-devops-extension-sdk';

import { chart } from './chart';
import { badge, html, link, number, required, shown } from './dom';
import { lastJudged, models, seriesOf, type Judged, type Series } from './history';
import { historyView } from './past';
import { explain, Problem } from './problem';
import { followed, parseChosen, type Chosen } from './settings';
import type { Verdict } from './verdict';
import { problemView } from './view';

/** The smallest chart in which something can be seen, and how flat a large one is. */
const LOWEST = 50;
const FLATNESS = 0.5;
/** Pixels below the chart. */
const MARGIN = 14;

type Draw = (builds: readonly Judged[], chosen: Chosen) => readonly HTMLElement[];

export async function showWidget(): Promise<void> {
  await SDK.init({ loaded: false, applyTheme: true });
  const widget = new Widget(getClient(BuildRestClient), SDK.getWebContext().project.id);
  const offered: IConfigurableWidget = {
    preload: () => WidgetStatusHelper.Success(),
    load: (settings) => widget.show(settings, summary),
    reload: (settings) => widget.show(settings, summary),
    lightbox: (settings) => widget.show(settings, whole),
  };
  // Hosts ask for the object by the whole id of the contribution, old ones by its last part.
  const id = SDK.getContributionId();
  SDK.register(id, offered);
  SDK.register(id.split('.').slice(2).join('.'), offered);
  await SDK.notifyLoadSucceeded();
}

class Widget {
  private readonly title = required('title');
  private readonly content = required('content');
  private turn = 0;
  private redraw = (): void => undefined;

  constructor(
    private readonly builds: BuildRestClient,
    private readonly project: string,
  ) {
    window.addEventListener('resize', () => {
      this.redraw();
    });
  }

  /** A later call overtakes an earlier one that is still under way. */
  async show(settings: WidgetSettings, draw: Draw): Promise<WidgetStatus> {
    const turn = (this.turn += 1);
    const chosen = parseChosen(settings.customSettings);
    this.title.textContent = settings.name;
    if (chosen.pipeline === 0) {
      const none = new Problem(
        'No pipeline is chosen',
        "choose one in the widget's configuration.",
      );
      this.content.replaceChildren(problemView(none));
      return await WidgetStatusHelper.Unconfigured();
    }
    try {
      const builds = await lastJudged(this.builds, followed(this.project, chosen));
      const views = (): void => {
        this.content.replaceChildren(...draw(builds, chosen));
      };
      if (turn === this.turn) {
        views();
        this.redraw = views;
      }
    } catch (error) {
      if (turn === this.turn) {
        const again = (): void => void this.show(settings, draw);
        this.redraw = (): void => undefined;
        const problem = explain(error, 'the builds of this pipeline');
        this.content.replaceChildren(problemView(problem, again));
      }
    }
    return await WidgetStatusHelper.Success();
  }
}

/** Verdict, value and chart of one metric, as large as the widget is. */
function summary(builds: readonly Judged[], chosen: Chosen): HTMLElement[] {
  const { build, verdict } = newest(builds, chosen);
  const series = chosenSeries(builds, verdict.model, chosen.metric);
  const { passed, reason } = verdict;
  const text = html(
    'div',
    {},
    html(
      'p',
      {},
      badge(passed, passed ? 'passed' : ['rejected', reason].filter(Boolean).join(': ')),
      ' ',
      link(build.address, build.number, 'Open the build'),
      html('span', { class: 'quiet' }, ` ${verdict.model}`),
    ),
    valueView(series, verdict, chosen.metric),
  );
  required('content').replaceChildren(text);
  if (!series) {
    return [text];
  }
  const width = Math.max(text.clientWidth, LOWEST);
  const left = window.innerHeight - text.getBoundingClientRect().bottom - MARGIN;
  const height = Math.max(LOWEST, Math.min(left, width * FLATNESS));
  return [text, html('div', {}, chart(series, build.id, { width, height }))];
}

function valueView(series: Series | undefined, { links }: Verdict, metric: string): HTMLElement {
  if (!series) {
    const what = metric ? `did not measure ${metric}` : 'measured nothing';
    return html('p', { class: 'quiet' }, `The last builds ${what}.`);
  }
  const { label, direction, points } = series;
  const { value = null, baseline = null } = points.at(-1) ?? {};
  const notes = [
    direction ? `${direction} is better` : '',
    baseline === null ? '' : `baseline ${shown(baseline)}`,
  ].filter(Boolean);
  return html(
    'p',
    {},
    html('strong', { class: 'value' }, number(value, links.run, 'Open the run')),
    ` ${label}`,
    html('span', { class: 'quiet' }, notes.length > 0 ? ` (${notes.join(', ')})` : ''),
  );
}

/** All there is of the model, in the lightbox. */
function whole(builds: readonly Judged[], chosen: Chosen): HTMLElement[] {
  const { build, verdict } = newest(builds, chosen);
  const own = builds
    .map((one) => ({
      ...one,
      verdicts: one.verdicts.filter(({ model }) => model === verdict.model),
    }))
    .filter(({ verdicts }) => verdicts.length > 0);
  return [html('h2', {}, 'History'), ...historyView(own, build.id)];
}

/** @throws Problem where no build judged the model. */
function newest(
  builds: readonly Judged[],
  { branch, model }: Chosen,
): { readonly build: Judged; readonly verdict: Verdict } {
  const name = model || models(builds)[0];
  for (const build of builds.toReversed()) {
    const verdict = build.verdicts.find((one) => one.model === name);
    if (verdict) {
      return { build, verdict };
    }
  }
  throw new Problem(
    `None of the last builds${branch ? ` on ${branch}` : ''} ${model ? `judged ${model}` : 'has a verdict of the gate'}`,
    "run the gate, or choose something else in the widget's configuration.",
  );
}

/** The metric that was chosen, otherwise the first; nothing where no build measured it. */
function chosenSeries(
  builds: readonly Judged[],
  model: string,
  metric: string,
): Series | undefined {
  return seriesOf(builds, model)
    .filter(({ points }) => points.some(({ value }) => value !== null))
    .find(({ label }) => metric === '' || label === metric);
}
