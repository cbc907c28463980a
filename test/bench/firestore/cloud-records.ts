import firestore from '@google-cloud/firestore';
import { planSourceOf } from '../../../shared/core/plan/stored-plan.ts';
import type { Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import { type StoredRecords, tasksOfPlan } from '../read-records.ts';

/** Where a cluster keeps its records. */
export interface CloudPlace {
  project: string;
  /** `host:port` */
  firestoreHost: string;
  storageUrl: string;
  bucket: string;
}

const TENANT = 'local';

/** Firestore through Google's documented client: nothing of ours stands between the records and who judges them. */
export interface CloudRecords {
  hasEnded(run: string): Promise<boolean>;
  /** All that is stored of these runs, or of all there are. */
  load(runs?: readonly string[]): Promise<StoredRecords>;
  close(): Promise<void>;
}

export function openCloudRecords(place: CloudPlace): CloudRecords {
  const database = new firestore.Firestore({
    projectId: place.project,
    host: place.firestoreHost,
    ssl: false,
  });
  const runsOf = database.collection(`tenants/${TENANT}/runs`);
  const readRun = async (id: string): Promise<Run | undefined> =>
    (await runsOf.doc(id).get()).data() as Run | undefined;
  const readRuns = async (): Promise<Run[]> => (await runsOf.get()).docs.map((found) => found.data() as Run);
  return {
    hasEnded: async (run) => (await readRun(run))?.endedAt !== undefined,
    load: async (wanted) => {
      const all = await readRuns();
      const runs = wanted === undefined ? all : all.filter(({ id }) => wanted.includes(id));
      const tasks = new Map<string, Task[]>();
      const plans = new Map<string, string>();
      for (const run of runs) {
        const { docs } = await runsOf.doc(run.id).collection('tasks').get();
        tasks.set(
          run.id,
          docs.map((found) => found.data() as Task),
        );
        plans.set(run.id, await readPlan(place, run));
      }
      return {
        runs: () => runs,
        tasks: (run) => tasks.get(run) ?? [],
        plan: ({ id }) => tasksOfPlan(plans.get(id) ?? ''),
      };
    },
    close: () => database.terminate(),
  };
}

async function readPlan({ storageUrl, bucket }: CloudPlace, run: Run): Promise<string> {
  const source = planSourceOf(run);
  if (source === undefined) throw new Error(`run ${run.id} has no plan`);
  if ('text' in source) return source.text;
  const url = `${storageUrl}/storage/v1/b/${bucket}/o/${encodeURIComponent(source.key)}?alt=media`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the plan of run ${run.id} is not at ${url}: ${response.status}`);
  return response.text();
}
