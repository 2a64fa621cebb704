/** A table that can be sorted and filtered, and that stacks its cells where the page is narrow. */

import { html, type Child } from './dom';

/** What a cell shows, and what it is sorted by. A text is both. */
export type Cell = string | { readonly shown: Child; readonly order: number | string | null };

/** Fewer rows than this are seen at a glance and need no filter. */
const MANY = 6;

interface Row {
  readonly element: HTMLElement;
  readonly cells: readonly Cell[];
}

type Direction = 'ascending' | 'descending';

/**
 * @param label the name of the table, for those who do not see it.
 * @param first the column that comes first on a narrow page.
 */
export function grid(
  label: string,
  head: readonly string[],
  cells: readonly (readonly Cell[])[],
  first = '',
): HTMLElement {
  const rows = cells.map((row) => ({ element: line(head, row, first), cells: row }));
  const body = html('tbody', { role: 'rowgroup' }, ...rows.map(({ element }) => element));
  const headings = head.map((name) => heading(name));
  headings.forEach(({ element, button }, column) => {
    button.addEventListener('click', () => {
      const now = element.getAttribute('aria-sort');
      const next = now === 'ascending' ? 'descending' : 'ascending';
      headings.forEach((other) => {
        other.element.removeAttribute('aria-sort');
      });
      element.setAttribute('aria-sort', next);
      body.append(...sorted(rows, column, next).map((row) => row.element));
    });
  });
  // Where cells are stacked by style sheets, browsers forget that it is a table: the roles say so.
  return html(
    'div',
    { class: 'grid' },
    rows.length < MANY ? null : filter(label, rows),
    html(
      'div',
      { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label },
      html(
        'table',
        { role: 'table' },
        html(
          'thead',
          { role: 'rowgroup' },
          html('tr', { role: 'row' }, ...headings.map(({ element }) => element)),
        ),
        body,
      ),
    ),
  );
}

function heading(name: string): { element: HTMLElement; button: HTMLButtonElement } {
  const button = html('button', { type: 'button', class: 'sort' }, name);
  return { element: html('th', { scope: 'col', role: 'columnheader' }, button), button };
}

function line(head: readonly string[], cells: readonly Cell[], first: string): HTMLElement {
  const made = cells.map((cell, column) => {
    const shown = typeof cell === 'string' ? cell : cell.shown;
    const name = head[column] ?? '';
    const kind = name === first ? 'first' : '';
    return column === 0
      ? html('th', { scope: 'row', role: 'rowheader' }, shown)
      : html('td', { role: 'cell', class: kind, 'data-label': name }, shown);
  });
  return html('tr', { role: 'row' }, ...made);
}

/** Rows that have no value in the column come last in both directions. */
function sorted(rows: readonly Row[], column: number, direction: Direction): Row[] {
  const factor = direction === 'ascending' ? 1 : -1;
  return rows.toSorted((a, b) => {
    const [left, right] = [order(a.cells[column]), order(b.cells[column])];
    if (left === null || right === null) {
      return Number(left === null) - Number(right === null);
    }
    return factor * compared(left, right);
  });
}

function order(cell: Cell | undefined): number | string | null {
  return typeof cell === 'object' ? cell.order : (cell ?? null);
}

function compared(left: number | string, right: number | string): number {
  return typeof left === 'number' && typeof right === 'number'
    ? left - right
    : String(left).localeCompare(String(right), undefined, { numeric: true });
}

/** Rows stay that have every word somewhere. */
function filter(label: string, rows: readonly Row[]): HTMLElement {
  const input = html('input', { type: 'search', 'aria-label': `Filter ${label}` });
  const count = html('span', { class: 'quiet', role: 'status' }, '');
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { element } of rows) {
      const text = element.textContent.toLowerCase();
      element.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter(({ element }) => !element.hidden).length;
    count.textContent = words.length === 0 ? '' : `${String(left)} of ${String(rows.length)} rows`;
  });
  return html('p', { class: 'filter' }, html('label', {}, 'Filter ', input), ' ', count);
}
