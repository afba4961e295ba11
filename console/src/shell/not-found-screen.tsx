import { Link } from "wouter";
import { EmptyState } from "../ui/states.tsx";
import { useTitle } from "./use-title.ts";

export function NotFoundScreen() {
  useTitle("Not found");
  return (
    <div className="screen">
      <h1 className="hidden" tabIndex={-1}>
        Not found
      </h1>
      <EmptyState
        icon="search"
        title="There is nothing at this address"
        action={
          <Link href="/" className="button button--plain">
            To the sessions
          </Link>
        }
      />
    </div>
  );
}
