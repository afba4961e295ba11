/** Whether a key, by Playwright's names, may put something into a field: `a`, `KeyA`, `Shift+Digit7`, `Space`. */
export function typesText(key: string): boolean {
  return !/^(?:Shift\+)*(?:(?:Control|Alt|Meta|ControlOrMeta)(?:\+|$)|(?:Enter|Tab|Escape|Backspace|Delete|Insert|Home|End|PageUp|PageDown|Arrow\w+|F\d+|Shift)$)/.test(
    key,
  );
}
