/**
 * What the pages have in common. `data-page` of the body says which one it is: the tab, the widget of
 * a dashboard or its configuration. One script serves them all, because most of it is the SDK.
 */

import { showConfiguration } from './configuration';
import { showTab } from './tab';
import { showWidget } from './widget';

async function start(): Promise<void> {
  window.addEventListener('themeApplied', followTheme);
  const pages: Readonly<Record<string, () => Promise<void>>> = {
    configuration: showConfiguration,
    widget: showWidget,
  };
  await (pages[document.body.dataset['page'] ?? ''] ?? showTab)();
}

/** Scroll bars, form controls and the reports take the scheme, which a theme does not name. */
function followTheme(): void {
  const [red = 255, green = 255, blue = 255] =
    getComputedStyle(document.body)
      .backgroundColor.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  const dark = 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  document.documentElement.dataset['scheme'] = dark ? 'dark' : 'light';
}

void start();
