/**
 * The tab inside the portal: shows the build or the release that the host names.
 *
 * The host hands a build's tab `onBuildChanged`, and a classic release's `onReleaseChanged`; it calls
 * what is registered there at once and again on every change.
 */

import { getClient } from 'azure-devops-extension-api';
import { BuildRestClient } from 'azure-devops-extension-api/Build';
import { ReleaseRestClient } from 'azure-devops-extension-api/Release';
import * as SDK from 'azure-devops-extension-sdk';

import { Page } from './page';
import { Problem } from './problem';
import { buildSubject, releaseSubject } from './subject';

interface Named {
  readonly id: number;
}

interface Configuration {
  readonly onBuildChanged?: (callback: (build: Named) => void) => void;
  readonly onReleaseChanged?: (callback: (release: Named) => void) => void;
}

export async function showTab(): Promise<void> {
  await SDK.init({ applyTheme: true });
  const builds = getClient(BuildRestClient);
  const page = new Page(builds);
  const project = SDK.getWebContext().project.id;
  const configuration = SDK.getConfiguration() as Configuration;
  if (configuration.onReleaseChanged) {
    const releases = getClient(ReleaseRestClient);
    configuration.onReleaseChanged(({ id }) => {
      void page.show(() => releaseSubject(builds, releases, project, id), 'this release');
    });
  } else if (configuration.onBuildChanged) {
    configuration.onBuildChanged(({ id }) => {
      void page.show(() => buildSubject(builds, project, id), 'this build');
    });
  } else {
    const silent = new Problem('The portal names no build and no release', 'reload the page.');
    await page.show(() => Promise.reject(silent), 'this page');
  }
}
