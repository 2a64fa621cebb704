/** What the tab is about: a build, or a classic release with its stages and the build it deploys. */

import type { Build, BuildRestClient } from 'azure-devops-extension-api/Build';
import type { ReleaseRestClient } from 'azure-devops-extension-api/Release';

import { ofBuild, ofStage, type Attachment } from './attachments';
import { explain, type Problem } from './problem';

export interface Group {
  /** Empty for the build that the tab is on. */
  readonly heading: string;
  readonly attachments: readonly Attachment[];
  /** Why there is less to see than there may be. */
  readonly problem?: Problem;
}

export interface Subject {
  readonly title: string;
  /** Whether more may come. */
  readonly running: boolean;
  readonly groups: readonly Group[];
  /** The build whose definition and branch the history follows. */
  readonly build?: Build;
}

export async function buildSubject(
  client: BuildRestClient,
  project: string,
  id: number,
): Promise<Subject> {
  const build = await client.getBuild(project, id);
  return {
    title: `Model report of build ${build.buildNumber}`,
    running: !(build.finishTime as Date | undefined),
    groups: [{ heading: '', attachments: await ofBuild(client, project, id) }],
    build,
  };
}

export async function releaseSubject(
  builds: BuildRestClient,
  releases: ReleaseRestClient,
  project: string,
  id: number,
): Promise<Subject> {
  const release = await releases.getRelease(project, id);
  const stages = await Promise.all(
    release.environments.map(async (stage) => ({
      heading: `Stage ${stage.name}`,
      attachments: await ofStage(releases, project, release, stage),
    })),
  );
  const artifact = release.artifacts.find((one) => one.isPrimary && one.type === 'Build');
  const subject = { title: `Model report of release ${release.name}`, running: false };
  if (!artifact) {
    return { ...subject, groups: stages };
  }
  const { project: from, version } = artifact.definitionReference;
  const heading = `Build ${version?.name ?? ''}`;
  try {
    const source = from?.id ?? project;
    const build = await builds.getBuild(source, Number(version?.id));
    const attachments = await ofBuild(builds, source, build.id);
    return { ...subject, groups: [...stages, { heading, attachments }], build };
  } catch (error) {
    const problem = explain(error, `build ${version?.name ?? ''}, which this release deploys`);
    return { ...subject, groups: [...stages, { heading, attachments: [], problem }] };
  }
}
