import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import "./menu.css";

/** A button that opens a few acts: with the keyboard too, and closed by Escape, by a click elsewhere, or by moving on. */

export interface MenuItem {
  readonly key: string;
  readonly label: string;
  /** Where it only leads somewhere. */
  readonly href?: string;
  readonly run?: () => void;
}

/** So much room an open menu wants below its button. */
const ROOM_PX = 220;

export function Menu({
  label,
  children,
  items,
}: {
  label: string;
  children: ComponentChildren;
  items: readonly MenuItem[];
}) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const isUpwards = isOpen && innerHeight - (button.current?.getBoundingClientRect().bottom ?? 0) < ROOM_PX;

  useLayoutEffect(() => {
    if (!isOpen) return;
    itemsIn(place.current)[0]?.focus();
    const onPointer = ({ target }: Event) => {
      if (target instanceof Node && !place.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = itemsIn(place.current);
    const next = nextFocus(
      event.key,
      all.findIndex((item) => item.matches(":focus")),
      all.length,
    );
    if (next !== null) all[next]?.focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <span
      class="menu"
      ref={place}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && !place.current?.contains(relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        class="menu-button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        aria-label={label}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" || isOpen) return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {isOpen && (
        <span
          id={id}
          role="menu"
          aria-label={label}
          class={isUpwards ? "up" : undefined}
          onKeyDown={onKeyDown}
        >
          {items.map((item) => (
            <Item key={item.key} item={item} onChosen={close} onLeft={() => setOpen(false)} />
          ))}
        </span>
      )}
    </span>
  );
}

function Item({
  item: { label, href, run },
  onChosen,
  onLeft,
}: {
  item: MenuItem;
  onChosen: () => void;
  onLeft: () => void;
}) {
  if (href !== undefined) {
    return (
      <a role="menuitem" tabIndex={-1} href={href} onClick={onLeft}>
        {label}
      </a>
    );
  }
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      onClick={() => {
        onChosen();
        run?.();
      }}
    >
      {label}
    </button>
  );
}

function itemsIn(place: HTMLElement | null): HTMLElement[] {
  return [...(place?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
}

/** Which item a key leads to; null where it leads to none. */
function nextFocus(key: string, current: number, count: number): number | null {
  switch (key) {
    case "ArrowDown":
      return (current + 1) % count;
    case "ArrowUp":
      return (current - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
