// Keeps the page fresh without losing the reader's place, and filters its rows.
(() => {
  const EVERY_MS = 5000;
  const filter = document.getElementById('filter');
  const count = document.getElementById('count');
  const state = document.getElementById('state');
  const parts = () => [...document.querySelectorAll('main > section')];
  // As the server wrote them: a reader opens, scrolls and filters what is on the page.
  const written = new Map(parts().map((part) => [part.id, part.outerHTML]));

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...document.querySelectorAll('main [data-row]')];
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length === 0 ? '' : `${left} of ${rows.length} rows`;
  }

  // Details and logs have a key, which stays when the server writes them anew.
  const keyed = (part) => new Map([...part.querySelectorAll('[data-key]')].map((one) => [one.dataset.key, one]));

  function replace(old, fresh) {
    const before = keyed(old);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(fresh);
    for (const [key, now] of keyed(fresh)) {
      const then = before.get(key);
      if (!then) continue;
      if (now.tagName === 'DETAILS') now.open = then.open;
    }
    if (focused) {
      const same = [...fresh.querySelectorAll(focused.tagName)].find(
        (one) => one.outerHTML === focused.outerHTML,
      );
      same?.focus({ preventScroll: true });
    }
  }

  function show(page) {
    const anchor = [...document.querySelectorAll('main [data-row], main section')].findLast(
      (one) => !one.hidden && one.getBoundingClientRect().top <= 0,
    );
    const top = anchor?.getBoundingClientRect().top ?? 0;
    const scrolled = new Map();
    for (const log of document.querySelectorAll('pre[data-key]')) {
      const end = log.scrollHeight - log.scrollTop - log.clientHeight < 2;
      scrolled.set(log.dataset.key, end ? Infinity : log.scrollTop);
    }
    const news = [...page.querySelectorAll('main > section')];
    for (const [index, fresh] of news.entries()) {
      const text = fresh.outerHTML;
      const old = document.getElementById(fresh.id);
      if (written.get(fresh.id) === text) continue;
      written.set(fresh.id, text);
      if (old) replace(old, document.adoptNode(fresh));
      else {
        const next = news.slice(index + 1).map(({ id }) => document.getElementById(id)).find(Boolean);
        document.querySelector('main').insertBefore(document.adoptNode(fresh), next ?? null);
      }
    }
    for (const log of document.querySelectorAll('pre[data-key]')) {
      const place = scrolled.get(log.dataset.key);
      if (place !== undefined) log.scrollTop = Math.min(place, log.scrollHeight);
    }
    narrow();
    const same = anchor && document.getElementById(anchor.id);
    if (same && top < 0) window.scrollBy(0, same.getBoundingClientRect().top - top);
  }

  async function refresh() {
    const selection = document.getSelection();
    // Who is copying text would lose it, and nobody looks at a hidden page.
    if (document.hidden || (selection && !selection.isCollapsed)) return;
    try {
      const answer = await fetch(location.pathname, { cache: 'no-store' });
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
      show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      state.textContent = '';
    } catch (error) {
      state.textContent = `The local Azure cannot be read (${error.message}). The page may be out of date.`;
    }
  }

  filter.addEventListener('input', narrow);
  narrow();
  const again = async () => {
    await refresh();
    setTimeout(again, EVERY_MS);
  };
  setTimeout(again, EVERY_MS);
})();
