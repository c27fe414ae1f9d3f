import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { now } from "../clock.ts";
import { errorText } from "../parts/notice.tsx";
import { query } from "../route.ts";
import { may } from "../session.ts";
import { words } from "../words.ts";
import { BulkBar } from "./bulk-bar.tsx";
import { selectionIn } from "./choice.ts";
import { useConnectionNames } from "./connection-filter.tsx";
import { fleet, fleetError } from "./fleet.ts";
import { Groups } from "./groups.tsx";
import { clearMarks } from "./marked.ts";
import { MoneyHead } from "./money-head.tsx";
import { select, selectUnreadable, summarize } from "./select.ts";
import { Table } from "./table.tsx";
import { Toolbar } from "./toolbar.tsx";
import { Unwatched } from "./unwatched.tsx";
import { ViewsBar } from "./views-bar.tsx";
import { fleetWords } from "./words.ts";
import "./fleet.css";

/** What is due soon comes first: that is looked at anew so often. */
const ORDERED_EVERY_MS = 60_000;

/** All instances: what they cost, what needs an eye, and what can be done about many at once. */
export function FleetPage() {
  const selection = useMemo(() => selectionIn(query.value), [query.value]);
  const known = fleet.value;
  const orderedAtMs = useComputed(() => Math.floor(now.value / ORDERED_EVERY_MS) * ORDERED_EVERY_MS).value;
  const chosen = useMemo(
    () => select(known?.instances ?? [], selection, orderedAtMs),
    [known, selection, orderedAtMs],
  );
  const summary = useMemo(() => summarize(known?.instances ?? []), [known]);
  const connections = useConnectionNames();
  // What is selected must be in view.
  useEffect(() => clearMarks, []);
  if (known === null) {
    const error = fleetError.value;
    return <p class="faint">{error === null ? words.value.loading : errorText(error)}</p>;
  }
  const all = known.instances.length + known.unreadable.length;
  // A place of its own: what is shown there must stay when the fleet is no longer empty.
  if (all === 0 && known.isWhole) {
    location.replace("#/add");
    return null;
  }
  const unreadable = selectUnreadable(known.unreadable, selection);
  const shown = chosen.length + unreadable.length;
  const { noMatch, addInstance, guardClosed } = words.value;
  const { instances, someInstances, arriving } = fleetWords.value;
  return (
    <>
      <h1 class="hidden">{words.value.fleet}</h1>
      {known.guardClosed && <p class="banner">{guardClosed}</p>}
      <MoneyHead />
      <Unwatched />
      <ViewsBar />
      <Groups summary={summary} all={all} group={selection.group} />
      <Toolbar selection={selection} connections={connections}>
        <span class="count" role="status">
          {known.isWhole ? (shown === all ? instances(all) : someInstances(shown, all)) : arriving(all)}
        </span>
        {may("operator") && (
          <a class="button primary" href="#/add">
            {addInstance}
          </a>
        )}
      </Toolbar>
      {shown === 0 ? (
        <p class="faint">{noMatch}</p>
      ) : (
        <Table
          instances={chosen}
          unreadable={unreadable}
          selection={selection}
          connections={connections}
          mayAct={may("operator")}
          isArriving={!known.isWhole}
        />
      )}
      <BulkBar />
    </>
  );
}
