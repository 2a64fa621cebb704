/** The history as it is seen: charts, the same numbers as a table, and two builds side by side. */

import { chart } from './chart';
import { compareView } from './compare';
import { badge, html, link, number } from './dom';
import { grid } from './grid';
import { models, seriesOf, type Judged, type Series } from './history';

/** Charts that are shown at once; the others are a key press away. */
const CHARTS = 6;

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
      compareView(model, series, current),
    );
  });
}

function historyTable(model: string, series: readonly Series[]): HTMLElement {
  const points = series[0]?.points ?? [];
  return grid(
    `History of ${model}`,
    ['Build', 'Verdict', 'Model', ...series.map((one) => one.label)],
    points
      .map(({ build, verdict, passed }, index) => [
        { shown: link(build.address, build.number), order: index },
        { shown: badge(passed, passed ? 'passed' : 'rejected'), order: Number(!passed) },
        { shown: modelOf(verdict.links.model, verdict.registered), order: verdict.registered },
        ...series.map((one) => {
          const value = one.points[index]?.value ?? null;
          return { shown: number(value, verdict.links.run, 'Open the run'), order: value };
        }),
      ])
      .toReversed(),
    'Verdict',
  );
}

/** The version alone: all rows are of one model. */
function modelOf(address: string | undefined, registered: string): Node {
  const version = /:(\d+)$/.exec(registered)?.[1];
  return link(address, version ? `version ${version}` : '-');
}
