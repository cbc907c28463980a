import { describe, expect, it } from '@jest/globals';
import { shapeOf } from './watch-calls.ts';

describe('what a request is called in a schedule', () => {
  it.each([
    ['/internal/runs/k7dq2mz0/claim', '/internal/runs/*/claim'],
    ['/internal/runs/kwdqtmzb/claim', '/internal/runs/*/claim'],
    ['/internal/runs/kwdqtmzb', '/internal/runs/*'],
    ['/internal/runs/kwdqtmzb/stages/plan', '/internal/runs/*/stages/plan'],
    [
      '/blobs/local/artifacts/kwdqtmzb/fix/1/change-set.json',
      '/blobs/local/artifacts/*/fix/*/change-set.json',
    ],
    ['/blobs/local/uploads/kwdqtmzb/fix/1/7', '/blobs/local/uploads/*/fix/*/*'],
    ['/repos/acme/sums/check-runs/17', '/repos/acme/sums/check-runs/*'],
    ['/repos/acme/sums/commits/0a1b/check-runs', '/repos/acme/sums/commits/*/check-runs'],
    ['/v1/messages', '/v1/messages'],
  ])('%s is %s, whatever the ids in it', (path, shape) => {
    expect(shapeOf(path)).toBe(shape);
  });
});
