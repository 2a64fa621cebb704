/** The configuration of the widget: which pipeline and branch, which model, which metric. */

import { getClient } from 'azure-devops-extension-api';
import { BuildRestClient } from 'azure-devops-extension-api/Build';
import {
  ConfigurationEvent,
  WidgetConfigurationSave,
  WidgetStatusHelper,
  type IWidgetConfiguration,
  type IWidgetConfigurationContext,
  type SaveStatus,
  type WidgetSettings,
  type WidgetStatus,
} from 'azure-devops-extension-api/Dashboard';
import * as SDK from 'azure-devops-extension-sdk';

import { html, required, type Child } from './dom';
import { lastJudged, models, seriesOf, type Judged } from './history';
import { explain, Problem } from './problem';
import { followed, keptForm, NOTHING, parseChosen, type Chosen } from './settings';
import { problemView } from './view';

export async function showConfiguration(): Promise<void> {
  await SDK.init({ loaded: false, applyTheme: true });
  const page = new Configuration(getClient(BuildRestClient), SDK.getWebContext().project.id);
  const offered: IWidgetConfiguration = {
    load: (settings, context) => page.load(settings, context),
    onSave: () => page.save(),
  };
  const id = SDK.getContributionId();
  SDK.register(id, offered);
  SDK.register(id.split('.').slice(2).join('.'), offered);
  await SDK.notifyLoadSucceeded();
}

class Configuration {
  private readonly status = required('status');
  private readonly pipeline = html('select', {});
  private readonly branch = html('input', { type: 'text', placeholder: 'every branch' });
  private readonly model = html('select', {});
  private readonly metric = html('select', {});
  private chosen: Chosen = NOTHING;
  private builds: readonly Judged[] = [];
  private turn = 0;
  private context: IWidgetConfigurationContext | undefined;

  constructor(
    private readonly client: BuildRestClient,
    private readonly project: string,
  ) {
    required('content').replaceChildren(
      field('Pipeline', this.pipeline),
      field('Branch', this.branch),
      field('Model', this.model),
      field('Metric', this.metric),
    );
    for (const list of [this.pipeline, this.branch]) {
      list.addEventListener('change', () => {
        this.change({ pipeline: Number(this.pipeline.value), branch: this.branch.value });
        void this.look();
      });
    }
    this.model.addEventListener('change', () => {
      this.change({ model: this.model.value, metric: '' });
      this.offer();
    });
    this.metric.addEventListener('change', () => {
      this.change({ metric: this.metric.value });
    });
  }

  async load(
    settings: WidgetSettings,
    context: IWidgetConfigurationContext,
  ): Promise<WidgetStatus> {
    this.context = context;
    this.chosen = parseChosen(settings.customSettings);
    this.branch.value = this.chosen.branch;
    await this.pipelines();
    return await WidgetStatusHelper.Success();
  }

  /** The dashboard saves nothing as long as no pipeline is chosen. */
  async save(): Promise<SaveStatus> {
    if (this.chosen.pipeline === 0) {
      const none = new Problem('No pipeline is chosen', 'choose one.');
      this.status.replaceChildren(problemView(none));
      this.pipeline.focus();
      return await WidgetConfigurationSave.Invalid();
    }
    return await WidgetConfigurationSave.Valid(keptForm(this.chosen));
  }

  private change(part: Partial<Chosen>): void {
    this.chosen = { ...this.chosen, ...part };
    const told = ConfigurationEvent.Args(keptForm(this.chosen));
    void this.context?.notify(ConfigurationEvent.ConfigurationChange, told);
  }

  private async pipelines(): Promise<void> {
    const { pipeline } = this.chosen;
    this.status.replaceChildren('Loading the pipelines…');
    try {
      const found = await this.client.getDefinitions(this.project);
      const names = found.map(({ id, name, path }): [string, string] => [
        String(id),
        path === '\\' ? name : `${path.slice(1)}\\${name}`,
      ]);
      names.sort(([, a], [, b]) => a.localeCompare(b, undefined, { numeric: true }));
      fill(this.pipeline, ['0', 'Choose a pipeline'], names, String(pipeline));
    } catch (error) {
      fill(this.pipeline, ['0', 'Choose a pipeline'], [], String(pipeline));
      const problem = explain(error, 'the pipelines of this project');
      this.status.replaceChildren(problemView(problem, () => void this.pipelines()));
      return;
    }
    await this.look();
  }

  /** Look into the builds for what there is to choose from. */
  private async look(): Promise<void> {
    const turn = (this.turn += 1);
    this.builds = [];
    let told: Child = '';
    if (this.chosen.pipeline !== 0) {
      this.status.replaceChildren('Loading the last builds…');
      try {
        const builds = await lastJudged(this.client, followed(this.project, this.chosen));
        if (turn !== this.turn) {
          return;
        }
        this.builds = builds;
        told = builds.length === 0 ? 'None of the last builds has a verdict of the gate.' : '';
      } catch (error) {
        if (turn !== this.turn) {
          return;
        }
        told = problemView(explain(error, 'the last builds'), () => void this.look());
      }
    }
    this.offer();
    this.status.replaceChildren(told);
  }

  private offer(): void {
    const { model, metric } = this.chosen;
    const known = models(this.builds);
    fill(this.model, ['', 'The one that was judged last'], known.map(twice), model);
    const series = seriesOf(this.builds, model || (known[0] ?? ''));
    const labels = series.map(({ label }) => twice(label));
    fill(this.metric, ['', 'The first one'], labels, metric);
  }
}

/** The choices of a list. What was chosen stays, also where it is not among them. */
function fill(
  list: HTMLSelectElement,
  none: readonly [string, string],
  choices: readonly (readonly [string, string])[],
  chosen: string,
): void {
  const known = [none, ...choices];
  const lost = known.every(([value]) => value !== chosen);
  const all = lost ? [...known, [chosen, `${chosen} (not found)`] as const] : known;
  list.replaceChildren(
    ...all.map(([value, text]) => html('option', { value, selected: value === chosen }, text)),
  );
}

function twice(text: string): [string, string] {
  return [text, text];
}

function field(name: string, control: HTMLElement): HTMLElement {
  control.id = name.toLowerCase();
  return html('p', { class: 'field' }, html('label', { for: control.id }, name), control);
}
