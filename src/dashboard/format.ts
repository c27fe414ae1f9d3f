/** Numbers and durations in words, the same in every language but for the separators. */

/** Keeps each format that is made, since that takes longer than to draw a row that uses it. There are a few in each language. */
function keptFormats<Options, Format>(make: (locale: string, options: Options) => Format) {
  const kept = new Map<string, Format>();
  return (locale: string, options: Options): Format => {
    const key = `${locale} ${JSON.stringify(options)}`;
    const format = kept.get(key) ?? make(locale, options);
    kept.set(key, format);
    return format;
  };
}

const numbers = keptFormats(
  (locale: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options),
);
const times = keptFormats(
  (locale: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options),
);

export function money(dollars: number, locale: string, digits = 2): string {
  return numbers(locale, {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(dollars);
}

/** From here on two digits are those of cents: "$0.10", not "$0.1". */
const ROUNDS_TO_TEN_CENTS = 0.0995;

/** Dollars an hour. One that is far below a cent is not shown as nothing. */
export function price(dollars: number, locale: string): string {
  return dollars === 0 || dollars >= ROUNDS_TO_TEN_CENTS
    ? money(dollars, locale)
    : numbers(locale, {
        style: "currency",
        currency: "USD",
        maximumSignificantDigits: 2,
      }).format(dollars);
}

/** What is not known exactly: "$3,900", "$39", "$3.90". */
export function about(dollars: number, locale: string): string {
  if (dollars < 10) return money(dollars, locale);
  return numbers(locale, {
    style: "currency",
    currency: "USD",
    maximumSignificantDigits: 2,
  }).format(dollars);
}

export function number(value: number, locale: string, digits = 1): string {
  return numbers(locale, { maximumFractionDigits: digits }).format(value);
}

export function dateTime(iso: string, locale: string): string {
  return times(locale, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso));
}

/** What is near, to the minute: "Fri, Nov 27, 6:00 PM". */
export function dayAndTime(iso: string, locale: string): string {
  return times(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "numeric",
    minute: "2-digit",
  }).format(new Date(iso));
}

/** A moment since which something lasts: its time if it is of today, else its day. */
export function sinceText(iso: string, locale: string, nowMs: number): string {
  const [at, today] = [new Date(iso), new Date(nowMs)];
  const isToday = at.toDateString() === today.toDateString();
  return times(
    locale,
    isToday ? { hour: "numeric", minute: "2-digit" } : { day: "numeric", month: "short" },
  ).format(at);
}

/** A UTC day, `2026-11-27`, as "Nov 27". */
export function dayText(day: string, locale: string): string {
  const at = new Date(day);
  if (Number.isNaN(at.getTime())) return day;
  return times(locale, { day: "numeric", month: "short", timeZone: "UTC" }).format(at);
}

/** "12 s", "3 min", "2 h 5 min", "4 d 1 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** "1:43", "1:02:03", and from two days on "6 d 3 h". */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole >= 2 * 86_400) return duration(whole);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** With a capital letter, as a sentence begins. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
