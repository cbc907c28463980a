import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ports } from '../../../shared/core/ports.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { noteHandled, noteLost, notePublished, undelivered } from './message-ledger.ts';

const ports = {} as Ports;
const message = { v: 1, tenant: 'local', run: 'run1' } as const;
const KEY = `run-finished ${JSON.stringify(message)}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-ledger-'));
});
afterEach(() => rm(folder, { recursive: true }));

function publish(): Promise<void> {
  const queue = { publish: () => Promise.resolve(), close: () => Promise.resolve() };
  return notePublished(folder, queue).publish('run-finished', message);
}

async function deliver(failure?: Error): Promise<void> {
  const handle = () => (failure === undefined ? Promise.resolve() : Promise.reject(failure));
  const fn = noteHandled(folder, { name: 'integration', topic: 'run-finished', handle });
  await fn.handle(ports, message).catch(() => undefined);
}

it('a message is undelivered until somebody has handled it, as often as it was published', async () => {
  expect(undelivered(folder)).toEqual([]);
  await publish();
  await publish();
  await deliver();
  expect(undelivered(folder)).toEqual([KEY]);
  await deliver();
  expect(undelivered(folder)).toEqual([]);
});

it('one that comes again after a failure is still undelivered, one that was given up is not', async () => {
  await publish();
  await deliver(new PenstockError('unavailable', 'later', { retry: 'later' }));
  expect(undelivered(folder)).toEqual([KEY]);
  await deliver(new PenstockError('invalid', 'never'));
  expect(undelivered(folder)).toEqual([]);
});

it('one that the queue has forgotten is not waited for', async () => {
  await publish();
  noteLost(folder);
  expect(undelivered(folder)).toEqual([]);
});
