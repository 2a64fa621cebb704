declare module 'fast-levenshtein' {
  /** The number of single characters to insert, remove or replace. */
  export function get(one: string, other: string): number;
}
