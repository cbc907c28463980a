import { blobsContract } from '../../contract/blobs-contract.ts';
import { createMemoryBlobs } from './memory-blobs.ts';

blobsContract('memory', () =>
  Promise.resolve({ blobs: createMemoryBlobs(), close: () => Promise.resolve() }),
);
