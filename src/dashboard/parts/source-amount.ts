import { number } from "../format.ts";
import { language, words } from "../words.ts";

/** What a source of use says, with its unit. */
export function sourceAmount(name: string, value: number): string {
  const digits = (given: number) => number(given, language.value);
  switch (name) {
    case "cpu_cores":
      return `${digits(value)} ${words.value.use.cores}`;
    case "network_kb_per_second":
    case "disk_kb_per_second":
      return value >= 1000 ? `${digits(value / 1000)} MB/s` : `${digits(value)} kB/s`;
    default:
      return digits(value);
  }
}
