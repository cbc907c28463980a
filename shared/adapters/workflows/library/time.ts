import { valueError } from '../errors.ts';
import { define, type LibraryFunction } from './define.ts';

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** https://cloud.google.com/workflows/docs/reference/stdlib/time/format and `parse`. */
export const TIME_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'time.format',
    [
      ['seconds', 'number'],
      ['timezone', 'string', 'UTC'],
    ],
    ([seconds, timezone]) => format(Number(seconds), timezone),
  ),
  define('time.parse', [['value', 'string']], ([value]) => parseTime(value)),
];

/** ISO 8601 with six digits of a second: `2024-07-12T12:50:33.000000Z`. */
function format(seconds: number, timezone: string): string {
  const micros = Math.round((seconds - Math.floor(seconds)) * 1e6);
  const whole = Math.floor(seconds) + Math.floor(micros / 1e6);
  const instant = new Date(whole * 1000);
  if (Number.isNaN(instant.getTime()))
    throw valueError(`time.format: ${seconds} is beyond what a date can be`);
  const offset = offsetSeconds(instant, timezone);
  const local = new Date((whole + offset) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${local}.${String(micros % 1e6).padStart(6, '0')}${offsetText(offset)}`;
}

function offsetSeconds(instant: Date, timezone: string): number {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
    const name = parts.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
      /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
  } catch {
    throw valueError(`${JSON.stringify(timezone)} is not a time zone, such as Europe/Berlin`);
  }
}

function offsetText(offset: number): string {
  if (offset === 0) return 'Z';
  const minutes = Math.round(Math.abs(offset) / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** RFC 3339 to seconds since 1970, with what a double holds of the fraction. */
function parseTime(value: string): number {
  const [, date = '', time = '', fraction = '', zone = ''] = RFC_3339.exec(value) ?? [];
  const whole = isDate(date) ? Date.parse(`${date}T${time}${zone.toUpperCase()}`) : NaN;
  if (Number.isNaN(whole)) throw valueError(`${JSON.stringify(value)} is not a time of RFC 3339`);
  return whole / 1000 + Number(`0${fraction}`);
}

/** `Date.parse` would take the 30th of February for a day in March. */
function isDate(date: string): boolean {
  const [year = NaN, month = NaN, day = NaN] = date.split('-').map(Number);
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
