import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../parts/notice.tsx";
import { query } from "../route.ts";
import { words } from "../words.ts";
import { keepViews, savedViews } from "./saved-views.ts";
import { LONGEST_NAME, queryOfView, withoutView, withView } from "./views.ts";
import { fleetWords } from "./words.ts";

/** The views that have names, and a name for the one that is shown. */
export function ViewsBar() {
  const { views } = fleetWords.value;
  const shown = queryOfView(query.value);
  const current = savedViews.value.find((each) => each.query === shown);
  if (savedViews.value.length === 0 && shown === "") return null;
  return (
    <div class="views">
      {savedViews.value.length > 0 && (
        <nav aria-label={views.title}>
          {savedViews.value.map((view) => (
            <a
              key={view.name}
              href={view.query === "" ? "#/" : `#/?${view.query}`}
              aria-current={view === current ? "true" : undefined}
            >
              {view.name}
            </a>
          ))}
        </nav>
      )}
      {current !== undefined && (
        <button
          type="button"
          class="small"
          aria-label={views.remove(current.name)}
          onClick={() => keepViews(withoutView(savedViews.value, current.name))}
        >
          <span aria-hidden="true">×</span>
        </button>
      )}
      {shown !== "" && (
        <>
          {current === undefined && <SaveView />}
          <a href="#/">{fleetWords.value.clear}</a>
        </>
      )}
    </div>
  );
}

function SaveView() {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <NameView onEnd={() => setOpen(false)} />;
  return (
    <button type="button" class="small" onClick={() => setOpen(true)}>
      {fleetWords.value.views.save}
    </button>
  );
}

function NameView({ onEnd }: { onEnd: () => void }) {
  const [name, setName] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const { views } = fleetWords.value;
  useEffect(() => field.current?.focus(), []);
  const onSubmit = (event: Event) => {
    event.preventDefault();
    if (name.trim() === "") return;
    const kept = withView(savedViews.value, name, query.value);
    if (kept === null) {
      say(views.full, true);
      return;
    }
    keepViews(kept);
    say(views.saved(name.trim()));
    onEnd();
  };
  return (
    <form onSubmit={onSubmit}>
      <input
        ref={field}
        aria-label={views.name}
        placeholder={views.name}
        maxLength={LONGEST_NAME}
        value={name}
        onInput={({ currentTarget: { value } }) => setName(value)}
        onKeyDown={({ key }) => {
          if (key === "Escape") onEnd();
        }}
      />
      <button type="submit" class="primary small">
        {words.value.save}
      </button>
      <button type="button" class="small" onClick={onEnd}>
        {words.value.cancel}
      </button>
    </form>
  );
}
