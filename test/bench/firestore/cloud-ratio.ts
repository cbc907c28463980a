import { median } from '../percentile.ts';
import { type RatioResult, ratioOf, shapeOf } from '../ratio.ts';
import { countTasks } from '../shapes.ts';
import { limitsFor } from '../submit-shape.ts';
import { startCloudHost } from './cloud-host.ts';

const [SMALL, LARGE] = ['fan-100', 'fan-400'];
const ROUNDS = 3;

/** Both in one cluster, one after the other and again, so that whatever else the machine does meets each of them. */
export async function benchCloudRatio(): Promise<RatioResult> {
  const shapes = [SMALL, LARGE].map(shapeOf);
  const host = await startCloudHost(limitsFor(shapes));
  const perTaskMs = shapes.map((): number[] => []);
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [at, shape] of shapes.entries()) {
        const { wallMs } = await host.submit(shape);
        await host.clear();
        // The first round warms up.
        if (round > 0) perTaskMs[at]?.push(wallMs / countTasks(shape));
      }
    }
  } finally {
    await host.stop();
  }
  const [smallMs = 0, largeMs = 0] = perTaskMs.map(median);
  return ratioOf(`${LARGE} ÷ ${SMALL}`, smallMs, largeMs);
}
