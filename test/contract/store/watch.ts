import { afterEach, describe, expect, it } from '@jest/globals';
import type { Store, Versioned } from '../../../shared/ports/store.ts';
import type { Document, StoreCases } from './store-cases.ts';

/** Live changes. */
export function describeWatch(cases: StoreCases): void {
  const { store, refTo, put } = cases;
  describe('watch', () => {
    const stops: (() => void)[] = [];
    // A listener that outlives its case would break the cases behind it.
    afterEach(() => stops.splice(0).forEach((stop) => stop()));
    const watch: Store['watch'] = (ref, onChange) => {
      const stop = store.watch(ref, onChange);
      stops.push(stop);
      return stop;
    };
    it('tells the present state, each later one, and the end', async () => {
      const seen = collector<Document>();
      const stop = watch(refTo('a'), seen.add);
      await seen.until((document) => document === undefined);
      await store.create(refTo('a'), { n: 1 });
      await seen.until((document) => document?.data['n'] === 1);
      const version = await put('a', { n: 2 });
      const told = await seen.until((document) => document?.data['n'] === 2);
      expect(told).toEqual({ ref: refTo('a'), data: { n: 2 }, version });
      await store.commit([{ op: 'delete', ref: refTo('a') }]);
      await seen.until((document) => document === undefined);
      stop();
    });

    it('tells nothing of other documents, nothing after it is stopped, and each watcher for itself', async () => {
      const [seen, other] = [collector<Document>(), collector<Document>()];
      const stop = watch(refTo('a'), seen.add);
      const stopOther = watch(refTo('a'), other.add);
      await Promise.all([seen.until(() => true), other.until(() => true)]);
      await put('b', { n: 1 });
      stop();
      await put('a', { n: 1 });
      await other.until((document) => document?.data['n'] === 1);
      expect(seen.all).toEqual([undefined]);
      expect(other.all.every((document) => document === undefined || document.ref.id === 'a')).toBe(true);
      stopOther();
    });
  });
}

function collector<T extends object>() {
  const all: (Versioned<T> | undefined)[] = [];
  let told = 0;
  let wake: () => void = () => undefined;
  return {
    all,
    add: (document: Versioned<T> | undefined) => {
      all.push(document);
      wake();
    },
    /** The next that fits, from where the last search ended; jest's own timeout ends a vain one. */
    async until(fits: (document: Versioned<T> | undefined) => boolean): Promise<Versioned<T> | undefined> {
      for (;;) {
        while (told < all.length) {
          const document = all[told];
          told += 1;
          if (fits(document)) return document;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
