import type { ReactNode } from "react";
import type { ConsoleMessage, NetworkRequest, RunningStep, Session, Step } from "../api/types.ts";
import { endSentence } from "../sessions/end-words.ts";
import { IconButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { formatBytes, formatDuration, formatMoment, formatTime } from "../ui/format.ts";
import type { Entry } from "./entries.ts";
import { ResponseBody } from "./response-body.tsx";
import { record, selectorOf, text } from "./step-words.ts";

interface EntryDetailsProps {
  readonly session: Session;
  readonly entry: Entry;
  readonly startAt: number;
  readonly onClose: () => void;
}

/** All that was told of one entry. */
export function EntryDetails({ session, entry, startAt, onClose }: EntryDetailsProps) {
  return (
    <section className="entry-details" aria-label="The selected entry">
      <header className="entry-details__head">
        <h2>{entry.title}</h2>
        <CopyButton text={copyTextOf(entry)} what="the entry" />
        <IconButton icon="close" label="Close the details" onClick={onClose} />
      </header>
      <dl className="facts">
        <Fact name="At">
          {formatMoment(entry.at - startAt)} · {formatTime(entry.at)}
        </Fact>
        {entry.isRunning && <Fact name="Result">still under way</Fact>}
        {entry.durationMs !== null && <Fact name="Took">{formatDuration(entry.durationMs)}</Fact>}
        <SourceFacts session={session} entry={entry} />
      </dl>
    </section>
  );
}

function SourceFacts({ session, entry }: Pick<EntryDetailsProps, "session" | "entry">) {
  const { source } = entry;
  switch (source.kind) {
    case "step":
      return <StepFacts step={source.step} />;
    case "network":
      return <RequestFacts session={session} request={source.request} />;
    case "console":
      return <MessageFacts message={source.message} />;
    case "session":
      return source.isEnd ? <EndFacts session={source.session} /> : null;
  }
}

const toldElsewhere: ReadonlySet<string> = new Set([
  "type",
  "category",
  "description",
  "id",
  "selector",
  "timeout",
]);

function StepFacts({ step: { value } }: { readonly step: Step | RunningStep }) {
  const action = record(value["action"]);
  const shown = Object.entries(action).filter(
    ([name, field]) => !toldElsewhere.has(name) && field != null && field !== "",
  );
  const url = text(value["url"]) || text(record(value["metadata"])["url"]);
  return (
    <>
      <Fact name="Result">
        {text(value["message"])}
        {text(value["exception"]) !== "" && (
          <pre className="facts__code facts__code--bad">{text(value["exception"])}</pre>
        )}
      </Fact>
      <Fact name="Page">{url}</Fact>
      <Fact name="Element">
        {[text(action["id"]), selectorOf(action["selector"])].filter(Boolean).join(" · ")}
      </Fact>
      {typeof value["nb_actions"] === "number" && value["success"] !== false && (
        <Fact name="Found">{value["nb_actions"]} things to do</Fact>
      )}
      {shown.length > 0 && (
        <Fact name="Asked">
          <pre className="facts__code">{JSON.stringify(Object.fromEntries(shown), null, 2)}</pre>
        </Fact>
      )}
    </>
  );
}

interface RequestFactsProps {
  readonly session: Session;
  readonly request: NetworkRequest;
}

function RequestFacts({ session, request }: RequestFactsProps) {
  const { request_bytes: sent, response_bytes: received, initiator } = request;
  return (
    <>
      <Fact name="URL">
        <span className="facts__url">{request.url}</span>
      </Fact>
      <Fact name="Answer">
        {request.failure != null ? (
          <span className="facts__bad">{request.failure}</span>
        ) : request.status === null ? (
          "none yet"
        ) : (
          `${request.status} ${request.status_text ?? ""}`
        )}
        {request.from_cache === true && " (from the cache)"}
      </Fact>
      <Fact name="Type">{[request.type, request.mime_type].filter(Boolean).join(" · ")}</Fact>
      {sent != null && received != null && (
        <Fact name="Size">
          {formatBytes(sent)} sent, {formatBytes(received)} received
        </Fact>
      )}
      {session.record_bodies === true && request.duration_ms !== null && (
        <Fact name="Body">
          <ResponseBody key={request.id} session={session} request={request} />
        </Fact>
      )}
      {initiator != null && (
        <Fact name="Initiator">
          {typeof initiator === "string" ? initiator : JSON.stringify(initiator)}
        </Fact>
      )}
    </>
  );
}

function MessageFacts({ message }: { readonly message: ConsoleMessage }) {
  const { url, line, column } = message;
  const place = [url, line, column].filter((part) => part != null && part !== "").join(":");
  return (
    <>
      <Fact name="Level">
        {message.level} · {message.source}
      </Fact>
      <Fact name="Text">
        <pre className="facts__code">{message.text}</pre>
      </Fact>
      <Fact name="From">{place}</Fact>
    </>
  );
}

function EndFacts({ session }: { readonly session: Session }) {
  return (
    <>
      <Fact name="Why">{endSentence(session)}</Fact>
      {session.error !== null && <Fact name="Error">{session.error}</Fact>}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === "" || children == null) return null;
  return (
    <div className="facts__row">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function copyTextOf({ source }: Entry): string {
  switch (source.kind) {
    case "step":
      return JSON.stringify(source.step, null, 2);
    case "network":
      return JSON.stringify(source.request, null, 2);
    case "console":
      return JSON.stringify(source.message, null, 2);
    case "session":
      return JSON.stringify(source.session, null, 2);
  }
}
