/** Durations of a simulated clock, told as they would be in life. Pure. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  second: 1,
  min: MINUTE,
  minute: MINUTE,
  h: HOUR,
  hour: HOUR,
  day: DAY,
};

/** `2 h 5 min`, `3 min`, `45 s`. */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours] = [Math.floor(whole / DAY), Math.floor((whole % DAY) / HOUR)];
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  if (days > 0) return hours === 0 ? `${days} d` : `${days} d ${hours} h`;
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${whole} s`;
}

/** `5 seconds` of sentences, and `1min 43s` of countdowns. No part of a longer word, such as a name. */
const DURATIONS = /(?<![\w.-])\d+(?: (?:second|minute|hour|day)s?|(?:h|min|s)(?: \d+(?:min|s))*)(?![\w-])/g;
const PART = /(\d+) ?(second|minute|hour|day|min|h|s)/g;

/** A message of a service whose clock runs `speed` times as fast, with each duration as long as it stands for. */
export function asInLife(message: string, speed: number): string {
  return message.replace(DURATIONS, (duration) => {
    const seconds = [...duration.matchAll(PART)].map(
      ([, count, unit = ""]) => Number(count) * (UNIT_SECONDS[unit] ?? 1),
    );
    return spoken(seconds.reduce((sum, each) => sum + each, 0) * speed);
  });
}
