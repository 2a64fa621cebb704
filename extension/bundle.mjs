/**
 * Bundles one program: `node bundle.mjs SOURCE TARGET METAFILE PLATFORM JS-TARGET`.
 *
 * azure-pipelines-task-lib has its own messages in ten languages, a third of the launcher. It shows
 * them in another language than English only to a task that calls setResourcePath, and ours does not.
 */

import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';

import { build } from 'esbuild';

const [source, outfile, metafile, platform, target] = process.argv.slice(2);

const english = {
  name: 'english',
  setup({ onLoad }) {
    onLoad({ filter: /azure-pipelines-task-lib.lib-resource\.js$/ }, ({ path }) => {
      const found = createRequire(import.meta.url)(path);
      const contents = JSON.stringify({ ...found, localizedMessages: {} });
      return { contents, loader: 'json' };
    });
  },
};

/** The launcher starts programs itself and matches no patterns: what task-lib needs for that stays out. */
const unused = {
  name: 'unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(minimatch|q|\.\/toolrunner)$/ }, ({ path, importer }) =>
      /azure-pipelines-task-lib.[^/\\]+$/.test(importer) ? { path, namespace: 'unused' } : null,
    );
    onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

const done = await build({
  entryPoints: [source],
  outfile,
  platform,
  target,
  bundle: true,
  minify: true,
  metafile: true,
  logLevel: 'warning',
  plugins: [english, unused],
});
writeFileSync(metafile, JSON.stringify(done.metafile));
