/** The colours of the style sheet as a canvas takes them, which does not follow it by itself. */

export type Tone = "accent" | "faint" | "line" | "edge" | "warn" | "bad" | "good" | "rest";

export type Colours = Readonly<Record<Tone, string>>;

export function coloursOf(place: HTMLElement): Colours {
  const probe = document.createElement("span");
  place.append(probe);
  const colour = (name: Tone) => {
    probe.style.setProperty("color", `var(--${name})`);
    return getComputedStyle(probe).color;
  };
  const colours: Colours = {
    accent: colour("accent"),
    faint: colour("faint"),
    line: colour("line"),
    edge: colour("edge"),
    warn: colour("warn"),
    bad: colour("bad"),
    good: colour("good"),
    rest: colour("rest"),
  };
  probe.remove();
  return colours;
}
