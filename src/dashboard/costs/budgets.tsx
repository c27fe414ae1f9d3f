import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { about, dateTime, number, price } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Field, TextField } from "../parts/field.tsx";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError, useLive } from "../poll.ts";
import { may } from "../session.ts";
import { language, words } from "../words.ts";

const BUDGET = "/api/agent/budget";
const PAUSE_MS = 30_000;

const AT_LIMIT = ["alert", "hibernate_idle", "hibernate_all"] as const;

type AtLimit = (typeof AT_LIMIT)[number];

interface Budget {
  readonly day: number | null;
  readonly month: number | null;
  readonly at_limit: AtLimit;
  readonly spent_today: number;
  readonly spent_this_month: number;
  /** Instances of which nobody knows what they cost: they are in no sum. */
  readonly unknown_rates: number;
  readonly exceeded: readonly ("day" | "month")[];
  readonly day_breaks_at: string | null;
  readonly month_breaks_at: string | null;
  /** Of this month. */
  readonly forecast: { readonly cost: number } | null;
}

/** How far the budgets are used, when they break, and what they are. */
export function Budgets() {
  const answer = useLive<Budget>(BUDGET, PAUSE_MS);
  const { costs } = words.value;
  return (
    <section class="card">
      <h2>{costs.budget.title}</h2>
      <Answered of={answer}>
        {(budget: Budget) => (
          <>
            {budget.day === null && budget.month === null && <p class="faint">{costs.budget.none}</p>}
            <Used
              name={costs.budget.today}
              limit={budget.day}
              spent={budget.spent_today}
              isExceeded={budget.exceeded.includes("day")}
              breaksAt={budget.day_breaks_at}
              forecast={null}
            />
            <Used
              name={costs.budget.thisMonth}
              limit={budget.month}
              spent={budget.spent_this_month}
              isExceeded={budget.exceeded.includes("month")}
              breaksAt={budget.month_breaks_at}
              forecast={budget.forecast?.cost ?? null}
            />
            {budget.unknown_rates > 0 && (
              <p class="remark">{costs.budget.notCounted(budget.unknown_rates)}</p>
            )}
            {may("operator") && <BudgetForm budget={budget} onSaved={answer.refresh} />}
          </>
        )}
      </Answered>
    </section>
  );
}

function Used(props: {
  name: string;
  limit: number | null;
  spent: number;
  isExceeded: boolean;
  breaksAt: string | null;
  forecast: number | null;
}) {
  const { name, limit, spent, isExceeded, breaksAt, forecast } = props;
  if (limit === null) return null;
  const { budget } = words.value.costs;
  const dollars = (amount: number) => price(amount, language.value);
  const used = budget.used(dollars(spent), dollars(limit), number((100 * spent) / limit, language.value, 0));
  return (
    <div class="budget">
      <p>
        <b>{name}</b> <span class="figure">{used}</span>
      </p>
      <meter
        min={0}
        max={limit}
        value={Math.min(spent, limit)}
        low={limit * 0.5}
        high={limit * 0.8}
        optimum={0}
        aria-label={`${name}: ${used}`}
      />
      {isExceeded && <p class="wrong">{budget.exceeded}</p>}
      {breaksAt !== null && <p class="remark">{budget.breaks(dateTime(breaksAt, language.value))}</p>}
      {forecast !== null && (
        <p class="remark">{budget.forecast(about(forecast, language.value), forecast > limit)}</p>
      )}
    </div>
  );
}

interface Entered {
  readonly day: string;
  readonly month: string;
  readonly at_limit: AtLimit;
}

function BudgetForm({ budget, onSaved }: { budget: Budget; onSaved: () => void }) {
  /** Null until something is changed: till then it follows what is stored. */
  const [entered, setEntered] = useState<Entered | null>(null);
  const [problems, setProblems] = useState<Partial<Record<"day" | "month", true>>>({});
  const [isBusy, setBusy] = useState(false);
  const shown = entered ?? { ...budget, day: textOf(budget.day), month: textOf(budget.month) };
  const { save, done, costs } = words.value;
  const change = (changes: Partial<Entered>) =>
    setEntered({ day: shown.day, month: shown.month, at_limit: shown.at_limit, ...changes });
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblems({});
    try {
      await ask("PUT", BUDGET, {
        day: dollarsIn(shown.day),
        month: dollarsIn(shown.month),
        at_limit: shown.at_limit,
      });
      setEntered(null);
      say(done.saved);
      onSaved();
    } catch (error) {
      const refusal = asApiError(error);
      const isAbout = (field: string) => refusal.issues.some(({ path }) => path === `body.${field}`);
      const [day, month] = [isAbout("day"), isAbout("month")];
      setProblems({ ...(day ? { day: true } : {}), ...(month ? { month: true } : {}) });
      if (!day && !month) say(errorText(refusal), true);
    }
    setBusy(false);
  };
  const limit = (name: "day" | "month") => (
    <TextField
      name={`budget-${name}`}
      type="number"
      label={costs.budget.limits[name]}
      isOptional
      problem={problems[name] ? costs.budget.wrongLimit : null}
      value={shown[name]}
      onChange={(value) => change({ [name]: value })}
    />
  );
  return (
    <form onSubmit={submit}>
      <div class="pair">
        {limit("day")}
        {limit("month")}
      </div>
      <Field label={costs.budget.atLimit} hint={costs.budget.atLimitHints[shown.at_limit]}>
        {(attributes) => (
          <select
            {...attributes}
            value={shown.at_limit}
            onChange={({ currentTarget }) => {
              const chosen = AT_LIMIT.find((each) => each === currentTarget.value);
              if (chosen !== undefined) change({ at_limit: chosen });
            }}
          >
            {AT_LIMIT.map((each) => (
              <option key={each} value={each}>
                {costs.budget.atLimits[each]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="buttons">
        <button type="submit" class="primary" disabled={isBusy || entered === null}>
          {save}
        </button>
      </div>
    </form>
  );
}

function textOf(dollars: number | null): string {
  return dollars === null ? "" : String(dollars);
}

/** Nothing is no limit. */
function dollarsIn(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
