import type { DocumentRef, Versioned } from '../../ports/store.ts';

type OnChange = (document: Versioned<object> | undefined) => void;
interface Watcher {
  ref: DocumentRef<object>;
  onChange: OnChange;
  /** Changes in the same turn of the event loop are told once. */
  isDue: boolean;
}

/** Who wants to hear of which document. Calls come after the commit has returned, so that a throwing one cannot harm it. */
export function createWatchers(read: (ref: DocumentRef<object>) => Versioned<object> | undefined) {
  const watchers = new Map<string, Set<Watcher>>();

  function tell(watcher: Watcher): void {
    if (watcher.isDue) return;
    watcher.isDue = true;
    setImmediate(() => {
      watcher.isDue = false;
      if (watchers.get(pathOf(watcher.ref))?.has(watcher)) watcher.onChange(read(watcher.ref));
    });
  }

  return {
    add<T extends object>(
      ref: DocumentRef<T>,
      onChange: (document: Versioned<T> | undefined) => void,
    ): () => void {
      const path = pathOf(ref);
      const watcher: Watcher = { ref, onChange: onChange as OnChange, isDue: false };
      const ofPath = watchers.get(path) ?? new Set();
      watchers.set(path, ofPath.add(watcher));
      tell(watcher);
      return () => {
        ofPath.delete(watcher);
        if (ofPath.size === 0 && watchers.get(path) === ofPath) watchers.delete(path);
      };
    },
    changed(refs: DocumentRef<object>[]): void {
      for (const ref of refs) watchers.get(pathOf(ref))?.forEach(tell);
    },
    close(): void {
      watchers.clear();
    },
  };
}

function pathOf({ collection, id }: DocumentRef<object>): string {
  return `${collection}/${id}`;
}
