import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from './crc32c.ts';
import { StorageApiError, UnpublishedShape } from './storage-api-error.ts';

/** As the JSON API's reference has it (https://cloud.google.com/storage/docs/json_api/v1/objects). */
export interface ObjectResource {
  kind: 'storage#object';
  id: string;
  name: string;
  bucket: string;
  generation: string;
  metageneration: string;
  contentType: string;
  storageClass: 'STANDARD';
  size: string;
  md5Hash: string;
  crc32c: string;
  etag: string;
  timeCreated: string;
  updated: string;
  metadata?: Record<string, string>;
}

export interface NewObject {
  bucket: string;
  name: string;
  contentType?: string | undefined;
  metadata?: Record<string, string> | undefined;
  /** What the sender computed; other content is refused. */
  crc32c?: string | undefined;
  /** 0: only where nothing is. */
  ifGenerationMatch?: string | undefined;
}

export interface ObjectStore {
  /** @throws StorageApiError 404 where there is no such bucket. */
  requireBucket(bucket: string): void;
  checkGeneration(object: Pick<NewObject, 'bucket' | 'name' | 'ifGenerationMatch'>): void;
  insert(object: NewObject, bytes: Uint8Array): Promise<ObjectResource>;
  find(bucket: string, name: string): ObjectResource;
  read(resource: ObjectResource): Promise<Uint8Array>;
  remove(bucket: string, name: string): Promise<void>;
  /** In ascending order. */
  list(bucket: string, prefix: string): ObjectResource[];
}

/** Objects in files of a folder, or in memory. A name appears with its content or not at all. */
export function openObjects({ buckets, folder }: { buckets: string[]; folder?: string }): ObjectStore {
  const contents = folder === undefined ? inMemory() : inFiles(folder);
  const known = new Map(buckets.map((bucket) => [bucket, new Map<string, ObjectResource>()]));
  for (const resource of contents.load()) known.get(resource.bucket)?.set(resource.name, resource);
  let last = 0;

  const bucketOf = (bucket: string) => {
    const objects = known.get(bucket);
    if (objects !== undefined) return objects;
    throw new StorageApiError(404, 'The specified bucket does not exist.', { xmlCode: 'NoSuchBucket' });
  };
  const store: ObjectStore = {
    requireBucket: (bucket) => void bucketOf(bucket),
    checkGeneration({ bucket, name, ifGenerationMatch }) {
      if (ifGenerationMatch === undefined) return;
      if ((bucketOf(bucket).get(name)?.generation ?? '0') === ifGenerationMatch) return;
      throw new StorageApiError(412, 'At least one of the pre-conditions you specified did not hold.');
    },
    async insert(object, bytes) {
      checkName(object.name);
      store.checkGeneration(object);
      last = Math.max(Date.now() * 1000, last + 1);
      const resource = resourceOf(object, bytes, String(last));
      if (object.crc32c !== undefined && object.crc32c !== resource.crc32c) {
        const message = `Provided CRC32C "${object.crc32c}" doesn't match calculated CRC32C "${resource.crc32c}".`;
        throw new StorageApiError(400, message);
      }
      await contents.save(resource, bytes);
      try {
        // Another may have come while the content was written.
        store.checkGeneration(object);
      } catch (error) {
        await contents.drop(resource);
        throw error;
      }
      const replaced = bucketOf(object.bucket).get(object.name);
      bucketOf(object.bucket).set(object.name, resource);
      if (replaced !== undefined) await contents.drop(replaced);
      return resource;
    },
    find(bucket, name) {
      const resource = bucketOf(bucket).get(name);
      if (resource !== undefined) return resource;
      throw new StorageApiError(404, `No such object: ${bucket}/${name}`);
    },
    read: (resource) => contents.read(resource),
    async remove(bucket, name) {
      const resource = store.find(bucket, name);
      bucketOf(bucket).delete(name);
      await contents.drop(resource);
    },
    list: (bucket, prefix) =>
      [...bucketOf(bucket).values()]
        .filter(({ name }) => name.startsWith(prefix))
        .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
  };
  return store;
}

interface Contents {
  load(): ObjectResource[];
  save(resource: ObjectResource, bytes: Uint8Array): Promise<void>;
  read(resource: ObjectResource): Promise<Uint8Array>;
  drop(resource: ObjectResource): Promise<void>;
}

function inMemory(): Contents {
  const bytesOf = new Map<string, Uint8Array>();
  return {
    load: () => [],
    save: async ({ generation }, bytes) => void bytesOf.set(generation, bytes),
    read: async ({ generation }) => bytesOf.get(generation) ?? new Uint8Array(),
    drop: async ({ generation }) => void bytesOf.delete(generation),
  };
}

/** Content first, then its record: a record never stands for half a content. */
function inFiles(folder: string): Contents {
  const fileOf = ({ bucket, generation }: ObjectResource) => join(folder, bucket, generation);
  return {
    load() {
      mkdirSync(folder, { recursive: true });
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.json'))
        .toSorted()
        .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as ObjectResource);
    },
    async save(resource, bytes) {
      await mkdir(join(folder, resource.bucket), { recursive: true });
      await writeFile(fileOf(resource), bytes);
      await writeFile(`${fileOf(resource)}.json`, JSON.stringify(resource));
    },
    read: (resource) => readFile(fileOf(resource)),
    async drop(resource) {
      await rm(`${fileOf(resource)}.json`, { force: true });
      await rm(fileOf(resource), { force: true });
    },
  };
}

function resourceOf(object: NewObject, bytes: Uint8Array, generation: string): ObjectResource {
  const { bucket, name, contentType = 'application/octet-stream', metadata } = object;
  const now = new Date().toISOString();
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    name,
    bucket,
    generation,
    metageneration: '1',
    contentType,
    storageClass: 'STANDARD',
    size: String(bytes.byteLength),
    md5Hash: createHash('md5').update(bytes).digest('base64'),
    crc32c: crc32c(bytes),
    etag: Buffer.from(generation).toString('base64'),
    timeCreated: now,
    updated: now,
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** https://cloud.google.com/storage/docs/objects#naming */
function checkName(name: string): void {
  const bytes = Buffer.byteLength(name);
  const isAllowed = bytes >= 1 && bytes <= 1024 && !/[\r\n]/.test(name) && name !== '.' && name !== '..';
  if (!isAllowed) throw new UnpublishedShape(400, `Invalid object name ${JSON.stringify(name)}.`);
}
