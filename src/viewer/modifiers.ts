/** On a Mac, Command does what Control does where the session's browser runs. */
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

interface HeldKeys {
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

/** As CDP counts them: 1 Alt, 2 Control, 4 Meta, 8 Shift. */
export function modifiersOf(event: HeldKeys): number {
  const control = event.ctrlKey || (isMac && event.metaKey);
  const meta = event.metaKey && !isMac;
  return (event.altKey ? 1 : 0) + (control ? 2 : 0) + (meta ? 4 : 0) + (event.shiftKey ? 8 : 0);
}

/** Whether the key that makes a shortcut of another one is held. */
export function holdsCommand(event: HeldKeys): boolean {
  return isMac ? event.metaKey : event.ctrlKey;
}
