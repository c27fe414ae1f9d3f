import type { ComponentChildren } from "preact";
import type { Live } from "../poll.ts";
import { words } from "../words.ts";
import { errorText } from "./notice.tsx";

/** What was read, once it was: before that, that it is being read, or why it can't be; after a failure, that it may be out of date. */
export function Answered<T>({
  of: { data, error, refresh },
  children,
}: {
  of: Live<T>;
  children: (data: T) => ComponentChildren;
}) {
  const { loading, costs } = words.value;
  return (
    <>
      {error !== null && (
        <p class="banner" role="alert">
          {data === null ? errorText(error) : costs.outOfDate(errorText(error))}{" "}
          <button type="button" onClick={refresh}>
            {costs.tryAgain}
          </button>
        </p>
      )}
      {data === null ? error === null && <p class="faint">{loading}</p> : children(data)}
    </>
  );
}
