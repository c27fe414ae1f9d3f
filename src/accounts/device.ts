/** How a browser names itself, as a person says it: "Firefox on Linux". */
export function deviceOf(userAgent: string | undefined): string {
  const given = (userAgent ?? "").replaceAll(/[^\x20-\x7e]/g, "").trim();
  if (given === "") return "Unknown device";
  const browser = nameIn(given, BROWSERS);
  const system = nameIn(given, SYSTEMS);
  if (browser === null) return given.slice(0, LONGEST_NAME);
  return system === null ? browser : `${browser} on ${system}`;
}

const LONGEST_NAME = 60;

type Names = readonly (readonly [RegExp, string])[];

/** Most browsers also give the names of those that they descend from, so the order counts. */
const BROWSERS: Names = [
  [/\bEdgA?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];

const SYSTEMS: Names = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

function nameIn(text: string, names: Names): string | null {
  return names.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
