import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { intake } from '../../../functions/intake/intake.ts';
import { webhooks } from '../../../functions/webhooks/webhooks.ts';
import { FUNCTION_FIELD } from '../../../shared/messages/openapi.ts';
import { type ApiWorld, openApiWorld } from '../../functions/api/api-world.ts';

type Operation = Record<string, unknown>;
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

describe('GET /openapi.json', () => {
  let world: ApiWorld;
  let document: Document;
  beforeAll(async () => {
    world = await openApiWorld();
    document = await world.read('/openapi.json');
  });
  afterAll(() => world.close());

  function documented(name: string): string[] {
    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );
    return all
      .filter(({ operation }) => operation[FUNCTION_FIELD] === name)
      .map(({ route }) => route)
      .toSorted();
  }

  it.each(['api', 'intake', 'webhooks'])('names the routes that %s really has, and no other', (name) => {
    const app = name === 'api' ? world.app : (name === 'intake' ? intake : webhooks).app(world.runtime);
    const registered = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(documented(name)).toEqual([...new Set(registered)].toSorted());
    expect(registered.length).toBeGreaterThan(0);
  });

  it('describes every parameter of a path, every answer, and errors as problems', () => {
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const operation of Object.values(methods)) {
        const parameters = operation['parameters'] as { name: string; in: string }[];
        const inPath = parameters
          .filter((parameter) => parameter.in === 'path')
          .map(({ name }) => `{${name}}`);
        expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
        const responses = operation['responses'] as Record<string, { content: object }>;
        expect(Object.keys(responses)).toContain('default');
        for (const { content } of Object.values(responses))
          expect(Object.keys(content).length).toBeGreaterThan(0);
      }
    }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((each) => each['operationId']),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says what a submission takes, in the names of the body', () => {
    const schemaOf = (path: string) => {
      const body = document.paths[path]?.['post']?.['requestBody'] as {
        content: Record<string, { schema: { properties: object } }>;
      };
      return Object.keys(body.content['application/json']?.schema.properties ?? {});
    };
    expect(schemaOf('/api/requirements')).toEqual(
      expect.arrayContaining(['requirement', 'repository', 'budgetUsd', 'plan', 'dryRun']),
    );
    expect(schemaOf('/api/v1/pm/tasks')).toEqual(
      expect.arrayContaining(['taskId', 'serviceName', 'markdownFiles', 'retryAttempt']),
    );
  });
});
