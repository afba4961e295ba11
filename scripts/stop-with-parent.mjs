/**
 * Preloaded into what `npm start` runs (`node --import`): ends this process when the one that
 * started it is gone. npm passes SIGINT and SIGTERM on, but only to the shell between us, which dies
 * of it and tells nobody; and nobody at all passes on a SIGKILL. A server that nobody sees would go
 * on holding the port and the data directory.
 *
 * SIGTERM to ourselves, not exit: it takes the same orderly way out as any other stop.
 */
import { isMainThread } from "node:worker_threads";

const CHECK_EVERY_MS = 500;

// Worker threads inherit --import; one watcher a process is enough.
if (isMainThread) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, CHECK_EVERY_MS);
  timer.unref();
}
