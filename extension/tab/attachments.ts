/**
 * The attachments that the tasks leave on their steps, read over the REST API of Azure DevOps.
 * Their types are the contract with the tasks (amltasks): readers here, writers there.
 */

import type {
  Attachment as BuildAttachment,
  BuildRestClient,
} from 'azure-devops-extension-api/Build';
import type {
  Release,
  ReleaseEnvironment,
  ReleaseRestClient,
} from 'azure-devops-extension-api/Release';

import { Problem } from './problem';

export const KINDS = [
  'aml.gate.verdict',
  'aml.gate.report',
  'aml.deploy.result',
  'aml.deploy.report',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Attachment {
  readonly kind: Kind;
  /** What the step called it: the model's or the service's name. Foreign text. */
  readonly name: string;
  /** Names it among all others, so that a change can be told from a repetition. */
  readonly key: string;
  read(): Promise<string>;
}

/** Timeline and record of a build's attachment stand only in its address. */
const RECORD = /\/builds\/\d+\/([0-9a-f-]{36})\/([0-9a-f-]{36})\/attachments\//i;

export async function ofBuild(
  client: BuildRestClient,
  project: string,
  build: number,
  kinds: readonly Kind[] = KINDS,
): Promise<Attachment[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const found = await client.getAttachments(project, build, kind);
      return found.map((attachment) => built(client, project, build, kind, attachment));
    }),
  );
  return lists.flat();
}

function built(
  client: BuildRestClient,
  project: string,
  build: number,
  kind: Kind,
  { name, _links }: BuildAttachment,
): Attachment {
  const address = (_links as { self?: { href?: string } } | undefined)?.self?.href ?? '';
  const [, timeline, record] = RECORD.exec(address) ?? [];
  return {
    kind,
    name,
    key: [build, timeline, record, kind, name].join('/'),
    read: async () => {
      if (timeline === undefined || record === undefined) {
        throw new Problem(
          `Azure DevOps gives no address for the attachment '${name}'`,
          "open the step's log instead.",
        );
      }
      return text(await client.getAttachment(project, build, timeline, record, kind, name));
    },
  };
}

/** Those of the last attempt at a stage of a classic release. */
export async function ofStage(
  client: ReleaseRestClient,
  project: string,
  release: Release,
  stage: ReleaseEnvironment,
): Promise<Attachment[]> {
  const last = stage.deploySteps.toSorted((a, b) => a.attempt - b.attempt).at(-1);
  const plans = (last?.releaseDeployPhases ?? []).map((phase) => phase.runPlanId).filter(Boolean);
  const lists = await Promise.all(
    plans.flatMap((plan) =>
      KINDS.map(async (kind) => {
        const at = [project, release.id, stage.id, last?.attempt ?? 1, plan] as const;
        const found = await client.getReleaseTaskAttachments(...at, kind);
        return found.map(({ name, timelineId, recordId }) => ({
          kind,
          name,
          key: [release.id, timelineId, recordId, kind, name].join('/'),
          read: async () =>
            text(
              await client.getReleaseTaskAttachmentContent(...at, timelineId, recordId, kind, name),
            ),
        }));
      }),
    ),
  );
  return lists.flat();
}

/** The client's types promise a file; what comes is its bytes. */
function text(content: unknown): string {
  return new TextDecoder().decode(content as ArrayBuffer);
}
