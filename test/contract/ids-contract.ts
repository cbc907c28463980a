import { describe, expect, it } from '@jest/globals';
import type { Ids } from '../../shared/ports/ids.ts';

const MANY = 10_000;
const TENTHS = 10;
/** Five standard deviations of how many of `MANY` fall into one tenth: less than once in a million runs. */
const SLACK = 5 * Math.sqrt(MANY * 0.1 * 0.9);

/** What every source of randomness does that is not a test's own. */
export function idsContract(name: string, make: () => Ids): void {
  describe(`${name} as a source of ids`, () => {
    const ids = make();
    const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

    it('gives short ids that are easy to type', () => {
      const drawn = draw(MANY, () => ids.short());
      for (const id of drawn) expect(id).toMatch(/^[a-z0-9]{8}$/);
      expect([...new Set(drawn.join(''))].toSorted().join('')).toBe('0123456789abcdefghijklmnopqrstuvwxyz');
    });

    it('gives UUIDs of version 4', () => {
      const drawn = draw(MANY, () => ids.uuid());
      for (const id of drawn)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(new Set(drawn).size).toBe(MANY);
    });

    it('gives secrets of at least 256 bits, base64url, never one twice', () => {
      const drawn = draw(MANY, () => ids.secret());
      for (const secret of drawn) {
        expect(secret).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(Buffer.from(secret, 'base64url').length).toBeGreaterThanOrEqual(32);
      }
      expect(new Set(drawn).size).toBe(MANY);
    });

    it('gives secrets that fit in a ticket, which has dots between its parts', () => {
      expect(draw(MANY, () => ids.secret()).filter((secret) => secret.includes('.'))).toEqual([]);
      expect(ids.secret().length).toBeLessThanOrEqual(64);
    });

    it('gives fractions from 0 to below 1, evenly', () => {
      const tenths = Array.from({ length: TENTHS }, () => 0);
      for (const fraction of draw(MANY, () => ids.fraction())) {
        expect(fraction).toBeGreaterThanOrEqual(0);
        expect(fraction).toBeLessThan(1);
        const tenth = Math.floor(fraction * TENTHS);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      for (const count of tenths) expect(Math.abs(count - MANY / TENTHS)).toBeLessThan(SLACK);
    });

    it('gives the same to no two sources', () => {
      expect(make().secret()).not.toBe(make().secret());
      expect(draw(8, () => make().fraction())).not.toEqual(draw(8, () => make().fraction()));
    });
  });
}
