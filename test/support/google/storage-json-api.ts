import { z } from 'zod';
import type { Accounts } from './storage-accounts.ts';
import {
  jsonAnswer,
  jsonError,
  mediaError,
  StorageApiError,
  UnpublishedShape,
  type Answer,
} from './storage-api-error.ts';
import { parseRelated } from './storage-multipart.ts';
import type { NewObject, ObjectResource, ObjectStore } from './storage-objects.ts';
import { parseJson, type OperationCall, type StorageOperation } from './storage-operation.ts';
import type { UploadSessions } from './storage-sessions.ts';

/** What a caller may say of a new object; the reference has more, which nothing here sends. */
const newResource = z.strictObject({
  name: z.string().optional(),
  contentType: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** With `STORAGE_EMULATOR_HOST` the client library leaves the prefix out. */
const BUCKET = '^(?:/storage/v1)?/b/(?<bucket>[^/]+)/o';
const UPLOAD = /^\/upload\/storage\/v1\/b\/(?<bucket>[^/]+)\/o$/;
const OBJECT = new RegExp(`${BUCKET}/(?<object>[^/]+)$`);
const MAX_RESULTS = 1000;

/** The methods of the JSON API that the client library uses (https://cloud.google.com/storage/docs/json_api/v1). */
export function jsonApi({
  accounts,
  objects,
  sessions,
}: {
  accounts: Accounts;
  objects: ObjectStore;
  sessions: UploadSessions;
}): StorageOperation[] {
  function allow({ headers, parameters }: OperationCall, permission: string): void {
    accounts.requireRole(headers.authorization, `storage.objects.${permission}`);
    objects.requireBucket(parameters['bucket'] ?? '');
  }
  const find = ({ parameters }: OperationCall): ObjectResource =>
    objects.find(parameters['bucket'] ?? '', parameters['object'] ?? '');

  return [
    {
      name: 'objects.insert',
      method: 'POST',
      path: UPLOAD,
      when: { uploadType: 'multipart' },
      query: ['uploadType', 'name', 'ifGenerationMatch'],
      refuse: jsonError,
      async serve(call) {
        const body = await call.readBody();
        allow(call, 'create');
        const { metadata, contentType, content } = parseRelated(call.headers['content-type'], body);
        const object = newObject(call, metadata);
        return jsonAnswer(await objects.insert({ contentType, ...object }, content));
      },
    },
    {
      name: 'objects.insert.start',
      method: 'POST',
      path: UPLOAD,
      when: { uploadType: 'resumable', upload_id: '' },
      query: ['uploadType', 'name', 'ifGenerationMatch'],
      refuse: jsonError,
      async serve(call) {
        const body = await call.readBody();
        allow(call, 'create');
        const type = call.headers['x-upload-content-type'];
        const length = call.headers['x-upload-content-length'];
        const declared = typeof type === 'string' ? { contentType: type } : {};
        const object = { ...declared, ...newObject(call, body.toString()) };
        const id = sessions.open(object, length === undefined ? undefined : Number(length));
        const query = new URLSearchParams({ uploadType: 'resumable', name: object.name, upload_id: id });
        const path = `/upload/storage/v1/b/${object.bucket}/o`;
        return { status: 200, headers: { location: `${call.origin}${path}?${query.toString()}` } };
      },
    },
    {
      // The session's URI is its credential.
      name: 'objects.insert.continue',
      method: 'PUT',
      path: UPLOAD,
      when: { uploadType: 'resumable', upload_id: /./ },
      query: ['uploadType', 'name', 'upload_id'],
      refuse: jsonError,
      serve: (call) => sessions.put(call),
    },
    {
      name: 'objects.get.media',
      method: 'GET',
      path: OBJECT,
      when: { alt: 'media' },
      query: ['generation'],
      refuse: mediaError,
      async serve(call) {
        allow(call, 'get');
        return mediaAnswer(find(call), objects);
      },
    },
    {
      name: 'objects.get',
      method: 'GET',
      path: OBJECT,
      query: ['generation'],
      refuse: jsonError,
      serve(call) {
        allow(call, 'get');
        return jsonAnswer(find(call));
      },
    },
    {
      name: 'objects.list',
      method: 'GET',
      path: new RegExp(`${BUCKET}$`),
      query: ['prefix', 'maxResults', 'pageToken', 'fields'],
      refuse: jsonError,
      serve(call) {
        allow(call, 'list');
        return jsonAnswer(page(objects, call));
      },
    },
    {
      name: 'objects.delete',
      method: 'DELETE',
      path: OBJECT,
      query: ['ifGenerationMatch'],
      refuse: jsonError,
      async serve(call) {
        allow(call, 'delete');
        const { bucket, name } = find(call);
        const ifGenerationMatch = call.query.get('ifGenerationMatch') ?? undefined;
        objects.checkGeneration({ bucket, name, ifGenerationMatch });
        await objects.remove(bucket, name);
        return { status: 204 };
      },
    },
  ];
}

function newObject({ query, parameters }: OperationCall, json: string): NewObject {
  const { name = query.get('name'), ...resource } = parseJson(newResource, json);
  if (name === null) throw new UnpublishedShape(400, 'Required parameter: name');
  const ifGenerationMatch = query.get('ifGenerationMatch') ?? undefined;
  return { ...resource, bucket: parameters['bucket'] ?? '', name, ifGenerationMatch };
}

export async function mediaAnswer(resource: ObjectResource, objects: ObjectStore): Promise<Answer> {
  const { contentType, size, generation, metageneration, etag, updated } = resource;
  const headers = {
    'content-type': contentType,
    'content-length': size,
    etag,
    'last-modified': new Date(updated).toUTCString(),
    'x-goog-generation': generation,
    'x-goog-metageneration': metageneration,
    'x-goog-hash': `crc32c=${resource.crc32c},md5=${resource.md5Hash}`,
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-stored-content-length': size,
  };
  return { status: 200, headers, body: await objects.read(resource) };
}

/** A page's token is where the one before ended. */
function page(objects: ObjectStore, { parameters, query }: OperationCall): object {
  const size = Number(query.get('maxResults') ?? MAX_RESULTS);
  if (!Number.isInteger(size) || size < 1) throw new UnpublishedShape(400, `Invalid maxResults ${size}.`);
  const token = query.get('pageToken');
  const after = token === null ? '' : Buffer.from(token, 'base64url').toString();
  if (token !== null && Buffer.from(after).toString('base64url') !== token) {
    throw new StorageApiError(400, 'Invalid argument.');
  }
  const found = objects.list(parameters['bucket'] ?? '', query.get('prefix') ?? '');
  const rest = found.filter(({ name }) => name > after);
  const items = rest.slice(0, Math.min(size, MAX_RESULTS));
  const last = items.at(-1)?.name;
  const isMore = last !== undefined && items.length < rest.length;
  return select(query.get('fields'), {
    kind: 'storage#objects',
    ...(items.length === 0 ? {} : { items }),
    ...(isMore ? { nextPageToken: Buffer.from(last).toString('base64url') } : {}),
  });
}

/** A partial response: of lists, `items(…)` and fields of the list itself. */
function select(fields: string | null, list: { items?: ObjectResource[]; [name: string]: unknown }): object {
  if (fields === null) return list;
  const parts = fields.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  const chosen = parts.map((part) => {
    const [, name = '', inner] = /^(\w+)(?:\(([\w,]+)\))?$/.exec(part) ?? [];
    if (!['kind', 'items', 'nextPageToken'].includes(name)) {
      throw new UnpublishedShape(400, `Invalid field selection ${part}`);
    }
    if (list[name] === undefined) return [];
    if (inner === undefined) return [[name, list[name]] as const];
    const names = inner.split(',');
    const items = (list.items ?? []).map((item) =>
      Object.fromEntries(Object.entries(item).filter(([field]) => names.includes(field))),
    );
    return [[name, items] as const];
  });
  return Object.fromEntries(chosen.flat());
}
