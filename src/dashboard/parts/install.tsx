import { useState } from "preact/hooks";
import { words } from "../words.ts";
import { Choices } from "./choices.tsx";
import { Copyable } from "./copyable.tsx";

const KINDS = ["systemd", "container"] as const;

/** The one command that makes a machine report to this service. Without a token it has a place for it. */
export function InstallCommand({ instanceId, token }: { instanceId: string; token: string | null }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]>("systemd");
  const { installWith, runThis, tokenShownOnce, tokenPlaceholder } = words.value;
  return (
    <>
      <Choices label={runThis} choices={KINDS} names={installWith} chosen={kind} onChoose={setKind} />
      <Copyable text={command(kind, instanceId, token ?? "TOKEN", location.origin)} />
      <p class="faint">{token === null ? tokenPlaceholder : tokenShownOnce}</p>
    </>
  );
}

function command(kind: (typeof KINDS)[number], instanceId: string, token: string, origin: string): string {
  const download = `curl -fsSLO ${origin}/downloads/agent/latest/dumont-agent && chmod +x dumont-agent`;
  const variables = `DUMONT_INSTANCE_ID=${instanceId} DUMONT_API_TOKEN=${token} DUMONT_API_URL=${origin}`;
  switch (kind) {
    case "systemd":
      return `${download} && sudo env ${variables} ./dumont-agent install && sudo systemctl start dumont-agent`;
    case "container":
      return `${download} && ${variables} nohup ./dumont-agent run >dumont-agent.log 2>&1 &`;
  }
}
