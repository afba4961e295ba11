/** What stands in a step in place of a secret. */
export const secretMask = "********";
