/**
 * To be imported before task-lib, which takes both away or acts on them as soon as it is loaded.
 *
 * Without its debug lines (unless system.debug asks for them) task-lib would write the value of every
 * variable it is asked for, secret ones too, and leave it to the agent to mask them.
 */

/** Names of the public pipeline variables; `tl.getVariables` would read the secret ones as well. */
export const publicVariables = JSON.parse(
  process.env['VSTS_PUBLIC_VARIABLES'] ?? '[]',
) as readonly string[];

process.env['DISTRIBUTEDTASK_TASKS_NODE_SKIPDEBUGLOGSWHENDEBUGMODEOFF'] ??= 'true';
