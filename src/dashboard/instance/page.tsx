import { INSTANCE_TABS, type InstanceTab, instanceAddress } from "../address.ts";
import { ControlLine } from "../parts/control.tsx";
import { errorText } from "../parts/notice.tsx";
import { query, route } from "../route.ts";
import { words } from "../words.ts";
import type { PartProps } from "./detail.ts";
import { Because, Head } from "./head.tsx";
import { HistoryTab } from "./history-tab.tsx";
import { MachineTab } from "./machine-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { PolicyTab } from "./policy-tab.tsx";
import { ReclaimedLine } from "./reclaimed.tsx";
import { useInstance } from "./use-instance.ts";
import { WakeFailed } from "./wake-failed.tsx";
import { instanceWords } from "./words.ts";
import "./instance.css";

/** One instance: its head, which stays in sight, and one of its parts. */
export function Page({ instanceId }: { instanceId: string }) {
  const address = `/api/agent/instances/${encodeURIComponent(instanceId)}`;
  const { data, error, refresh } = useInstance(instanceId, address);
  if (data === null) {
    if (error?.status === 404) return <NotFound />;
    return <p class="faint">{error === null ? words.value.loading : errorText(error)}</p>;
  }
  const at = route.value;
  const tab = at.page === "instance" ? at.tab : "overview";
  const props: PartProps = { instance: data, address, onChange: refresh };
  return (
    <div class="instance">
      <Head {...props} />
      <Because instance={data} />
      <ControlLine instance={data} />
      <ReclaimedLine reclaimed={data.reclaimed} />
      <WakeFailed instance={data} onDone={refresh} />
      <Tabs instanceId={instanceId} current={tab} />
      <Part tab={tab} {...props} />
    </div>
  );
}

function NotFound() {
  return (
    <section class="card narrow">
      <h1>{words.value.notFound}</h1>
      <p>
        <a href="#/">{instanceWords.value.allInstances}</a>
      </p>
    </section>
  );
}

/** What is looked at of the past stays the same from part to part. */
const SHARED = ["range", "from", "to", "why"];

function Tabs({ instanceId, current }: { instanceId: string; current: InstanceTab }) {
  const { tabs, tabsLabel } = instanceWords.value;
  const shared = new URLSearchParams([...query.value].filter(([name]) => SHARED.includes(name)));
  return (
    <nav class="tabs" aria-label={tabsLabel}>
      {INSTANCE_TABS.map((tab) => (
        <a
          key={tab}
          href={`${instanceAddress(instanceId, tab)}${shared.size === 0 ? "" : `?${shared}`}`}
          aria-current={tab === current ? "page" : undefined}
        >
          {tabs[tab]}
        </a>
      ))}
    </nav>
  );
}

function Part({ tab, ...props }: PartProps & { tab: InstanceTab }) {
  switch (tab) {
    case "overview":
      return <OverviewTab {...props} />;
    case "history":
      return <HistoryTab {...props} />;
    case "policy":
      return <PolicyTab {...props} />;
    case "machine":
      return <MachineTab {...props} />;
  }
}
