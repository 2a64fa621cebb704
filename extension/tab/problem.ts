/** What went wrong, in one sentence that says what to do next. */

export class Problem extends Error {
  constructor(
    readonly happened: string,
    readonly next: string,
  ) {
    super(`${happened}. Next: ${next}`);
  }
}

/** @param what the thing that was to be read, as in 'could not read …'. */
export function explain(error: unknown, what: string): Problem {
  if (error instanceof Problem) {
    return error;
  }
  const { status, name } = error as { status?: number; name?: string };
  if (status === 401 || status === 403) {
    return new Problem(
      `You may not read ${what}`,
      "ask a project administrator for the permission 'View builds' (in a release: 'View releases').",
    );
  }
  if (status === 404) {
    return new Problem(
      `Azure DevOps no longer has ${what}`,
      'look at a newer run; retention deletes old ones with their attachments.',
    );
  }
  if (name === 'NetworkException') {
    return new Problem(
      `Azure DevOps could not be reached for ${what}`,
      'check your connection and try again.',
    );
  }
  const answer = status === undefined ? String(error) : `the answer ${String(status)}`;
  return new Problem(`Reading ${what} failed with ${answer}`, 'try again in a minute.');
}
