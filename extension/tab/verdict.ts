/**
 * What the tasks say in JSON: `aml.gate.verdict` and `aml.deploy.result`, schema 1. Unknown members
 * are ignored and missing ones tolerated; whatever does not say 'passed' is not passed.
 */

import { Problem } from './problem';

const SCHEMA = 1;

export interface Check {
  readonly metric: string;
  readonly scope: string;
  readonly direction: string;
  readonly candidate: number | null;
  readonly baseline: number | null;
  readonly gain: number | null;
  /** Bounds of the gain's confidence interval. */
  readonly low: number | null;
  readonly high: number | null;
  readonly reason: string;
  readonly severity: string;
  readonly passed: boolean;
}

/** Addresses of pages, by what they show. */
export interface Links {
  readonly run?: string;
  readonly model?: string;
  readonly baseline?: string;
  readonly endpoint?: string;
  readonly build?: string;
}

export interface Verdict {
  readonly model: string;
  readonly passed: boolean;
  readonly reason: string;
  readonly detail: string;
  readonly baseline: string;
  /** The run that was judged. */
  readonly run: string;
  /** Name and version where it was registered, otherwise what says that it was not. */
  readonly registered: string;
  readonly checks: readonly Check[];
  readonly links: Links;
}

export interface Deployment {
  readonly service: string;
  readonly state: string;
  /** Why it failed; empty when it did not. */
  readonly problem: string;
  readonly model: string;
  readonly version: string;
  readonly revision: string;
  readonly scoringUri: string;
  readonly links: Links;
}

type Members = Readonly<Record<string, unknown>>;

export function parseVerdict(json: string, name: string): Verdict {
  const found = members(json, name);
  const baseline = object(found['baseline']);
  const facts = object(found['facts']);
  const checks = Array.isArray(found['checks']) ? (found['checks'] as unknown[]) : [];
  return {
    model: string(found['model']) || name,
    passed: found['verdict'] === 'passed',
    reason: string(found['reason']),
    detail: string(found['detail']),
    baseline: string(baseline['label']),
    run: string(facts['run']),
    registered: string(facts['model']),
    checks: checks.map((check) => parseCheck(object(check))),
    links: parseLinks(found['links']),
  };
}

function parseCheck(found: Members): Check {
  return {
    metric: string(found['metric']),
    scope: string(found['scope']),
    direction: string(found['direction']),
    candidate: number(found['candidate']),
    baseline: number(found['baseline']),
    gain: number(found['gain']),
    low: number(found['low']),
    high: number(found['high']),
    reason: string(found['reason']),
    severity: string(found['severity']),
    passed: found['passed'] === true,
  };
}

export function parseDeployment(json: string, name: string): Deployment {
  const found = members(json, name);
  return {
    service: string(found['service']) || name,
    state: string(found['state']),
    problem: string(found['problem']),
    model: string(found['model']),
    version: string(found['version']),
    revision: string(found['revision']),
    scoringUri: string(found['scoringUri']),
    links: parseLinks(found['links']),
  };
}

/** Only what is a text; `link` of dom.ts takes no other addresses than those of the web. */
function parseLinks(found: unknown): Links {
  return Object.fromEntries(
    Object.entries(object(found)).filter(([, address]) => typeof address === 'string'),
  );
}

function members(json: string, name: string): Members {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    found = undefined;
  }
  if (typeof found !== 'object' || found === null) {
    throw new Problem(
      `The attachment '${name}' is damaged`,
      "look at the step's log, or run it again.",
    );
  }
  if (object(found)['schema'] !== SCHEMA) {
    throw new Problem(
      `The attachment '${name}' is of another version than this tab`,
      'update the extension, then reload the page.',
    );
  }
  return found as Members;
}

function object(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function string(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
