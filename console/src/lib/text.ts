/** `1234567.80` → `1,234,567.80`, of text and by text: a number would lose digits. Anything else stays as it is. */
export function grouped(digits: string | number): string {
  const [, sign = "", whole = "", rest = ""] = /^([-+]?)(\d+)(\.\d+)?$/.exec(String(digits)) ?? [];
  return whole === "" ? String(digits) : `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest}`;
}

/** `1,234.50 USD`. */
export const moneyText = (amount: string, currency: string) => `${grouped(amount)} ${currency}`;

/** `2026-11-27T00:53:15.123456Z` → `2026-11-27 00:53:15`, UTC as everywhere in the platform. */
export const instantText = (iso: string) => iso.slice(0, 19).replace("T", " ");

/** The time of day of milliseconds since 1970: `00:53:15`, UTC. */
export const clockText = (ms: number) => new Date(ms).toISOString().slice(11, 19);

/** `75` → `1 min 15 s`: the two largest units. */
export function durationText(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1_000)} ms`;
  }
  let left = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || (parts.length > 0 && left > 0)) {
      parts.push(`${count} ${unit}`);
    }
  }
  return parts.slice(0, 2).join(" ");
}
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** `1536` → `1.5 kB`, in steps of 1,024 as PostgreSQL's pg_size_pretty. */
export function bytesText(bytes: number): string {
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), SIZES.length - 1);
  const value = bytes / 1_024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[step]}`;
}
const SIZES = ["B", "kB", "MB", "GB", "TB"];

/** Three significant digits, for what was measured: `1,234`, `45.6`, `0.12`. */
export function measureText(value: number): string {
  return value >= 100 || Number.isInteger(value) ? grouped(Math.round(value)) : String(+value.toPrecision(3));
}

/** A part of 1: `0.9712` → `97.1 %`. */
export const shareText = (share: number) => `${(share * 100).toFixed(1)} %`;

/** `counted(1, "letter")` → `1 letter`, `counted(1200, "letter")` → `1,200 letters`. */
export const counted = (count: number, noun: string) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;

/** `PARTIALLY_REFUNDED` → `partially refunded`. */
export const words = (code: string) => code.toLowerCase().replaceAll("_", " ");
