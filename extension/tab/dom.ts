/** Elements with text. Nothing here takes markup, so that no name can become any. */

type Child = Node | string | null;
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A link out of the frame, or only its text where the address is not one of the web. */
export function link(address: string, text: string): Node {
  return /^https?:\/\//i.test(address)
    ? html('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, text)
    : document.createTextNode(text);
}

/** A table that scrolls sideways, by keyboard too, where the page is narrow. */
export function table(
  label: string,
  head: readonly string[],
  rows: readonly Child[][],
): HTMLElement {
  const headings = head.map((name) => html('th', { scope: 'col' }, name));
  const lines = rows.map(([first, ...rest]) =>
    html(
      'tr',
      {},
      html('th', { scope: 'row' }, first ?? null),
      ...rest.map((cell) => html('td', {}, cell)),
    ),
  );
  return html(
    'div',
    { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label },
    html('table', {}, html('thead', {}, html('tr', {}, ...headings)), html('tbody', {}, ...lines)),
  );
}

/** Four significant digits, as a person compares them. */
export function shown(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(4)));
}
