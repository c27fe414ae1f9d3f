import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { words } from "../words.ts";

/** A part of the page that is loaded when it is first looked at. */
export function loaded<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return function Loaded(props: Props) {
    const [Part, setPart] = useState<ComponentType<Props> | null>(null);
    const [isMissing, setMissing] = useState(false);
    useEffect(() => {
      load().then(
        (part) => setPart(() => part),
        () => setMissing(true),
      );
    }, []);
    if (Part !== null) return <Part {...props} />;
    return <p class="faint">{isMissing ? words.value.offline : words.value.loading}</p>;
  };
}
