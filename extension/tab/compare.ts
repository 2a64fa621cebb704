/** Any two builds of the history side by side, metric by metric. */

import { badge, html, number, shown, type Child } from './dom';
import { grid, type Cell } from './grid';
import type { Series } from './history';

/**
 * Two lists of builds and the table of what differs, at first the newest build and the one before.
 *
 * @param current the build that the page is about; it is chosen at first where it was judged.
 */
export function compareView(
  model: string,
  series: readonly Series[],
  current: number,
): HTMLElement | null {
  const builds = (series[0]?.points ?? []).map(({ build }) => build);
  if (builds.length < 2) {
    return null;
  }
  const found = builds.findIndex(({ id }) => id === current);
  const second = Math.max(found === -1 ? builds.length - 1 : found, 1);
  const into = html('div', {});
  const lists = [second - 1, second].map((chosen, at) =>
    html(
      'select',
      { 'aria-label': at === 0 ? 'From build' : 'To build' },
      ...builds
        .map(({ number: name }, index) =>
          html('option', { value: index, selected: index === chosen }, name),
        )
        .toReversed(),
    ),
  );
  const draw = (): void => {
    const [left = 0, right = 0] = lists.map((list) => Number(list.value));
    const names = [builds[left]?.number ?? '', builds[right]?.number ?? ''] as const;
    into.replaceChildren(
      grid(
        `${names[0]} and ${names[1]}, ${model}`,
        ['Metric', ...names, 'Change'],
        series.map((one) => compared(one, left, right)),
        'Change',
      ),
    );
  };
  lists.forEach((list) => {
    list.addEventListener('change', draw);
  });
  draw();
  return html(
    'details',
    {},
    html('summary', {}, `Compare two builds of ${model}`),
    html('p', { class: 'filter' }, 'From', lists[0] ?? null, 'to', lists[1] ?? null),
    into,
  );
}

function compared({ label, direction, points }: Series, left: number, right: number): Cell[] {
  const [from, to] = [points[left], points[right]];
  const [before, after] = [from?.value ?? null, to?.value ?? null];
  const change = before === null || after === null ? null : after - before;
  return [
    label,
    { shown: number(before, from?.verdict.links.run, 'Open the run'), order: before },
    { shown: number(after, to?.verdict.links.run, 'Open the run'), order: after },
    { shown: judged(change, direction), order: change },
  ];
}

function judged(change: number | null, direction: string): Child {
  if (change === null || change === 0 || !['higher', 'lower'].includes(direction)) {
    return change === 0 ? 'the same' : shown(change);
  }
  const better = change > 0 === (direction === 'higher');
  return badge(better, `${shown(change)}, ${better ? 'better' : 'worse'}`);
}
