/** Whether what is shown follows by itself at once, or is asked for every other second. */
export function LiveMark({ isLive }: { readonly isLive: boolean }) {
  return (
    <p className={isLive ? "live-mark live-mark--on" : "live-mark"}>
      <span className="live-mark__dot" aria-hidden="true" />
      {isLive ? "Follows live" : "Refreshes every 2 s"}
    </p>
  );
}
