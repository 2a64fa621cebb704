/** One metric over the builds as a small SVG; the table beside it says the same in numbers. */

import { shown, svg } from './dom';
import type { Point, Series } from './history';

const LEFT = 46;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 26;
/** Pixels between two lines of the grid. */
const GRID = 28;

export interface Size {
  readonly width: number;
  readonly height: number;
}
const SMALL: Size = { width: 320, height: 150 };

/** @param current the id of the build that gets the ring. */
export function chart(series: Series, current: number, { width, height } = SMALL): SVGElement {
  const { points } = series;
  const values = points.flatMap(({ value, baseline }) => [value, baseline]).filter(isNumber);
  const rows = Math.max(1, Math.round((height - TOP - BOTTOM) / GRID));
  const ticks = niceTicks(Math.min(...values), Math.max(...values), rows);
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (index: number): number =>
    LEFT + ((width - LEFT - RIGHT) * (index + 0.5)) / points.length;
  const y = (value: number): number =>
    TOP + ((height - TOP - BOTTOM) * (high - value)) / (high - low);
  const line = (kind: 'value' | 'baseline'): SVGElement =>
    svg('path', {
      class: kind,
      d: path(
        points.map((point) => point[kind]),
        x,
        y,
      ),
    });
  return svg(
    'svg',
    {
      viewBox: `0 0 ${String(width)} ${String(height)}`,
      role: 'img',
      'aria-label': summary(series),
    },
    ...ticks.map((tick) =>
      svg(
        'g',
        { class: 'tick', transform: `translate(0 ${String(y(tick))})` },
        svg('line', { x1: LEFT, x2: width - RIGHT }),
        svg('text', { x: LEFT - 6, dy: '.32em', 'text-anchor': 'end' }, shown(tick)),
      ),
    ),
    svg('text', { x: LEFT, y: height - 8 }, points[0]?.build.number ?? ''),
    points.length > 1
      ? svg(
          'text',
          { x: width - RIGHT, y: height - 8, 'text-anchor': 'end' },
          points.at(-1)?.build.number ?? '',
        )
      : null,
    line('baseline'),
    line('value'),
    ...points.map((point, index) => mark(point, current, x(index), y)),
  );
}

/** A disc for passed, a cross for rejected, and a ring around the build that is looked at. */
function mark(
  { build, passed, value }: Point,
  current: number,
  x: number,
  y: (value: number) => number,
): SVGElement | null {
  if (value === null) {
    return null;
  }
  return svg(
    'g',
    {
      class: passed ? 'passed' : 'rejected',
      transform: `translate(${String(x)} ${String(y(value))})`,
    },
    svg('title', {}, `${build.number}: ${shown(value)}, ${passed ? 'passed' : 'rejected'}`),
    build.id === current ? svg('circle', { class: 'current', r: 7 }) : null,
    passed
      ? svg('circle', { class: 'disc', r: 3.5 })
      : svg('path', { class: 'cross', d: 'M-4 -4L4 4M-4 4L4 -4' }),
  );
}

/** Straight lines between the values; a missing one leaves a gap. */
function path(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let pen = 'M';
  let drawn = '';
  values.forEach((value, index) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    drawn += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  return drawn;
}

/** Round numbers that enclose the values, in about as many steps. */
export function niceTicks(low: number, high: number, steps: number): number[] {
  const span = high - low || Math.abs(high) / 10 || 1;
  const rough = span / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function summary({ label, direction, points }: Series): string {
  const measured = points.filter(({ value }) => value !== null);
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) {
    return `${label}: never measured`;
  }
  const values = measured.map(({ value }) => value).filter(isNumber);
  return (
    `${label}${direction ? `, ${direction} is better` : ''}: ${String(measured.length)} builds from ` +
    `${first.build.number} to ${last.build.number}, lowest ${shown(Math.min(...values))}, highest ` +
    `${shown(Math.max(...values))}, last ${shown(last.value)} (${last.passed ? 'passed' : 'rejected'}). ` +
    'The table below has every number.'
  );
}

function isNumber(value: number | null): value is number {
  return value !== null;
}
