/** What a person chose for a widget, as the dashboard keeps it. */

import type { CustomSettings } from 'azure-devops-extension-api/Dashboard';

import type { Followed } from './history';

export interface Chosen {
  /** The id of the build definition; 0 for none yet. */
  readonly pipeline: number;
  /** As a person types it: `main`, `refs/pull/7/merge`, or nothing for every branch. */
  readonly branch: string;
  /** Empty for the model that was judged last. */
  readonly model: string;
  /** Empty for the model's first metric. */
  readonly metric: string;
}

export const NOTHING: Chosen = { pipeline: 0, branch: 'main', model: '', metric: '' };

/** What the dashboard kept. Of what it does not understand, the widget takes nothing. */
export function parseChosen(kept: CustomSettings | null | undefined): Chosen {
  let found: unknown;
  try {
    found = JSON.parse(kept?.data ?? '');
  } catch {
    return NOTHING;
  }
  const { pipeline, branch, model, metric } = (found ?? {}) as Record<keyof Chosen, unknown>;
  return {
    pipeline: Number.isSafeInteger(pipeline) ? (pipeline as number) : 0,
    branch: typeof branch === 'string' ? branch : NOTHING.branch,
    model: typeof model === 'string' ? model : '',
    metric: typeof metric === 'string' ? metric : '',
  };
}

export function keptForm(chosen: Chosen): CustomSettings {
  return { data: JSON.stringify(chosen), version: { major: 1, minor: 0, patch: 0 } };
}

export function followed(project: string, { pipeline, branch }: Chosen): Followed {
  const name = branch.trim();
  const full = name === '' || name.startsWith('refs/') ? name : `refs/heads/${name}`;
  return { project, definition: pipeline, branch: full || undefined };
}
