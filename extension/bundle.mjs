/** Bundles one program: `node bundle.mjs SOURCE TARGET METAFILE PLATFORM JS-TARGET`. */

import { writeFileSync } from 'node:fs';

import { build } from 'esbuild';

const [source, outfile, metafile, platform, target] = process.argv.slice(2);

const done = await build({
  entryPoints: [source],
  outfile,
  platform,
  target,
  bundle: true,
  minify: true,
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(metafile, JSON.stringify(done.metafile));
