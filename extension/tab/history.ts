/** The gate's verdicts of the last builds of one definition and branch, as series of metrics. */

import {
  BuildQueryOrder,
  type Build,
  type BuildRestClient,
} from 'azure-devops-extension-api/Build';

import { ofBuild } from './attachments';
import { parseVerdict, type Check, type Verdict } from './verdict';

/** How many builds are asked for at a time. */
export const BUILDS = 20;
const AT_ONCE = 5;
/** How many pages without a single verdict are looked through for the newest one. */
const PAGES = 5;

/** The builds that a history follows. */
export interface Followed {
  /** Name or id of the project. */
  readonly project: string;
  readonly definition: number;
  /** As in `refs/heads/main`; nothing for every branch. */
  readonly branch: string | undefined;
}

export interface Judged {
  readonly id: number;
  readonly number: string;
  readonly address: string;
  /** One per model. */
  readonly verdicts: readonly Verdict[];
}

export interface Past {
  /** Builds with a verdict, oldest first. */
  readonly judged: readonly Judged[];
  /** Where the older builds begin; null when there are none. */
  readonly older: string | null;
}

export interface Point {
  readonly build: Judged;
  readonly verdict: Verdict;
  readonly passed: boolean;
  readonly value: number | null;
  readonly baseline: number | null;
}

export interface Series {
  readonly label: string;
  readonly direction: string;
  /** One for each build that judged the model, oldest first. */
  readonly points: readonly Point[];
}

/** Those of the same definition and branch as a build. */
export function alike({ project, definition, sourceBranch }: Build): Followed {
  return { project: project.id, definition: definition.id, branch: sourceBranch };
}

/**
 * One page of the builds. A verdict that cannot be read is left out.
 *
 * @param from what the page before named as `older`; nothing for the newest.
 */
export async function pastBuilds(
  client: BuildRestClient,
  { project, definition, branch }: Followed,
  from?: string,
): Promise<Past> {
  const found = await client.getBuilds(
    project,
    [definition],
    ...([undefined, undefined, undefined, undefined, undefined, undefined] as const),
    ...([undefined, undefined, undefined, undefined] as const),
    BUILDS,
    from,
    ...([undefined, undefined] as const),
    BuildQueryOrder.QueueTimeDescending,
    branch,
  );
  const judged = await limited(found, (one) => judge(client, project, one));
  return {
    judged: judged.filter((one) => one.verdicts.length > 0).toReversed(),
    older: found.continuationToken,
  };
}

/** The newest page that has a build with a verdict; nothing where there is none in a hundred builds. */
export async function lastJudged(
  client: BuildRestClient,
  followed: Followed,
): Promise<readonly Judged[]> {
  let from: string | null | undefined;
  for (let page = 0; page < PAGES && from !== null; page += 1) {
    const { judged, older } = await pastBuilds(client, followed, from);
    if (judged.length > 0) {
      return judged;
    }
    from = older || null;
  }
  return [];
}

async function judge(client: BuildRestClient, project: string, build: Build): Promise<Judged> {
  const attachments = await ofBuild(client, project, build.id, ['aml.gate.verdict']);
  const read = await Promise.allSettled(
    attachments.map(async (one) => parseVerdict(await one.read(), one.name)),
  );
  const verdicts = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const links = build._links as { web?: { href?: string } } | undefined;
  return {
    id: build.id,
    number: build.buildNumber,
    address: links?.web?.href ?? '',
    verdicts: [...new Map(verdicts.map((verdict) => [verdict.model, verdict])).values()],
  };
}

/** The models that were judged, the one judged last first. */
export function models(builds: readonly Judged[]): string[] {
  return [
    ...new Set(builds.toReversed().flatMap((one) => one.verdicts.map((verdict) => verdict.model))),
  ];
}

/** Every metric of a model, in the order of its newest verdict. */
export function seriesOf(builds: readonly Judged[], model: string): Series[] {
  const judged = builds.flatMap((build) =>
    build.verdicts.filter((one) => one.model === model).map((verdict) => ({ build, verdict })),
  );
  const newestFirst = judged.toReversed().flatMap(({ verdict }) => verdict.checks);
  const labels = [...new Set(newestFirst.map(label))];
  return labels.map((name) => ({
    label: name,
    direction: newestFirst.find((check) => label(check) === name)?.direction ?? '',
    points: judged.map(({ build, verdict }) => {
      const check = verdict.checks.find((one) => label(one) === name);
      return {
        build,
        verdict,
        passed: verdict.passed,
        value: check?.candidate ?? null,
        baseline: check?.baseline ?? null,
      };
    }),
  }));
}

/** The gate's name of the scope that is no slice (amltasks). */
const ALL_ROWS = 'all rows';

/** A metric with the slice of the rows it was measured on, if not on all of them. */
export function label({ metric, scope }: Check): string {
  return scope === '' || scope === ALL_ROWS ? metric : `${metric} (${scope})`;
}

/** Every item's result, in order, with few requests under way at a time. */
async function limited<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
