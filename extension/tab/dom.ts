/** Elements with text. Nothing here takes markup, so that no name can become any. */

export type Child = Node | string | null;
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
export function link(address: string | undefined, text: string, title = ''): Node {
  if (!address || !/^https?:\/\//i.test(address)) {
    return document.createTextNode(text);
  }
  const place = { href: address, target: '_blank', rel: 'noopener noreferrer' };
  return html('a', title ? { ...place, title } : place, text);
}

/** Four significant digits, as a person compares them. */
export function shown(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(4)));
}

/** A number that leads to the page of what it was measured on, or a dash for none. */
export function number(value: number | null, address: string | undefined, title: string): Node {
  return link(value === null ? undefined : address, shown(value), title);
}

/** Shape and word beside the colour, for those who see no colour. */
export function badge(good: boolean, text: string): HTMLElement {
  return html(
    'span',
    { class: good ? 'badge passed' : 'badge rejected' },
    html('span', { 'aria-hidden': 'true' }, good ? '✓ ' : '✕ '),
    text,
  );
}

/** An element of the page's HTML. */
export function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}
