import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { USES, type Use } from "../../lifecycle/model/ledger.ts";
import { instanceAddress } from "../address.ts";
import { readTable } from "../api.ts";
import { fleet } from "../fleet/fleet.ts";
import { Answered } from "../parts/answered.tsx";
import { Choices } from "../parts/choices.tsx";
import { doAndSay } from "../parts/notice.tsx";
import type { CostsWords } from "../words/english-costs.ts";
import { words } from "../words.ts";
import { CostsTable } from "./costs-table.tsx";
import { type Days, daysOf, PRESETS, presetOf, problemOf } from "./range.ts";
import { COSTS, type Costs, useCosts } from "./read.ts";
import { tagKeysOf } from "./tag-choices.ts";

const GROUPINGS = ["instance", "provider", "tag", "status"] as const;

type Grouping = (typeof GROUPINGS)[number];

/** Who has cost what, in a range of days: a table, and the same as a file. */
export function Breakdown({ today }: { today: string }) {
  const [days, setDays] = useState<Days>(() => daysOf("thirty", today));
  const [by, setBy] = useState<Grouping>("instance");
  const [chosenTag, setTag] = useState<string | null>(null);
  const { costs } = words.value;
  const problem = problemOf(days);
  const tags = tagKeysOf(fleet.value?.instances ?? []);
  const tag = chosenTag ?? tags[0] ?? null;
  const query = queryOf(days, by, tag);
  return (
    <section class="card">
      <header>
        <h2>{costs.whoCosts}</h2>
        <Choices label={costs.by} choices={GROUPINGS} names={costs.groupings} chosen={by} onChoose={setBy} />
      </header>
      <div class="toolbar range">
        <Choices
          label={costs.range}
          choices={PRESETS}
          names={costs.presets}
          chosen={presetOf(days, today)}
          onChoose={(preset) => setDays(daysOf(preset, today))}
        />
        <DayInput
          label={costs.from}
          day={days.from}
          most={today}
          onDay={(from) => setDays({ ...days, from })}
        />
        <DayInput label={costs.to} day={days.to} most={today} onDay={(to) => setDays({ ...days, to })} />
        {by === "tag" && tags.length > 0 && (
          <label>
            <span>{costs.tagKey}</span>{" "}
            <select value={tag ?? ""} onChange={({ currentTarget }) => setTag(currentTarget.value)}>
              {tags.map((key) => (
                <option key={key} value={key}>
                  {key}
                </option>
              ))}
            </select>
          </label>
        )}
        {query !== null && problem === null && <DownloadButton query={query} name={fileName(days, by)} />}
      </div>
      {problem !== null ? (
        <p class="wrong" role="alert">
          {costs.rangeProblems[problem]}
        </p>
      ) : query === null ? (
        <p class="faint">{costs.noTags}</p>
      ) : (
        <Rows key={query} query={query} by={by} tag={tag} />
      )}
    </section>
  );
}

function Rows({ query, by, tag }: { query: string; by: Grouping; tag: string | null }) {
  const answer = useCosts(query);
  const { costs } = words.value;
  const keyNames: Record<Grouping, string> = { ...costs.keys, tag: tag ?? costs.keys.tag };
  return (
    <Answered of={answer}>
      {(data: Costs) =>
        data.rows.length === 0 ? (
          <p class="faint">{costs.nothing}</p>
        ) : (
          <>
            <CostsTable
              rows={data.rows}
              total={data.total}
              keyName={keyNames[by]}
              nameOf={(key) => nameOf(key, by, costs)}
            />
            {data.isCut && <p class="faint">{costs.isCut(data.rows.length)}</p>}
          </>
        )
      }
    </Answered>
  );
}

function nameOf(key: string, by: Grouping, costs: CostsWords): ComponentChildren {
  switch (by) {
    case "instance":
      return <InstanceName instanceId={key} />;
    case "provider": {
      const known: Readonly<Record<string, string>> = words.value.providers;
      return known[key] ?? key;
    }
    case "tag":
      return key === "" ? <span class="faint">{costs.withoutTag}</span> : key;
    case "status":
      return isUse(key) ? costs.uses[key] : key;
  }
}

/** One that was removed has a name no more, and no page. */
function InstanceName({ instanceId }: { instanceId: string }) {
  const name = fleet.value?.instances.find((each) => each.instance_id === instanceId)?.name;
  if (name === undefined) return <>{instanceId}</>;
  return (
    <>
      <a href={instanceAddress(instanceId)}>{name}</a>
      {name !== instanceId && <span class="id">{instanceId}</span>}
    </>
  );
}

function isUse(text: string): text is Use {
  return USES.some((use) => use === text);
}

function queryOf({ from, to }: Days, by: Grouping, tag: string | null): string | null {
  if (by === "tag" && tag === null) return null;
  const ofTag = by === "tag" ? `&tag=${encodeURIComponent(tag ?? "")}` : "";
  return `from=${from}&to=${to}&by=${by}${ofTag}&limit=1000`;
}

function fileName({ from, to }: Days, by: Grouping): string {
  return `costs-${from}-to-${to}-by-${by}.csv`;
}

/** By then the browser has taken a file that is downloaded. */
const KEPT_MS = 60_000;

/** A link could not carry the token. */
function DownloadButton({ query, name }: { query: string; name: string }) {
  const { costs } = words.value;
  const onDownload = () =>
    doAndSay(
      async () => {
        const table = await readTable(`${COSTS}?${query}`);
        const address = URL.createObjectURL(new Blob([table], { type: "text/csv" }));
        const link = Object.assign(document.createElement("a"), { href: address, download: name });
        link.click();
        setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
      },
      () => costs.downloaded(name),
    );
  return (
    <button type="button" onClick={onDownload}>
      {costs.download}
    </button>
  );
}

function DayInput(props: { label: string; day: string; most: string; onDay: (day: string) => void }) {
  return (
    <label>
      <span>{props.label}</span>{" "}
      <input
        type="date"
        value={props.day}
        max={props.most}
        onInput={({ currentTarget }) => props.onDay(currentTarget.value)}
      />
    </label>
  );
}
