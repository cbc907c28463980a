import { z } from 'zod';
import { problem } from './problem.ts';
import { type Operation, operations } from './operations.ts';

/** Where an operation says which of our functions answers it; they may stand behind different addresses. */
export const FUNCTION_FIELD = 'x-penstock-function';

/** Every public route as OpenAPI 3.1, from the schemas that check requests and shape answers. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Penstock',
      version,
      description:
        'From a requirement to a reviewed pull request. Times are ISO 8601, money is micro-dollars, errors are RFC 9457 problems.',
    },
    paths,
    components: { schemas: { Problem: schemaOf(problem, 'output') } },
  };
}

function describeOperation(operation: Operation): Record<string, unknown> {
  const { method, path, body, status } = operation;
  return {
    operationId: operationId(method, path),
    summary: operation.summary,
    [FUNCTION_FIELD]: operation.function,
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }),
    responses: {
      [String(status)]: { description: operation.summary, content: contentOf(operation) },
      default: {
        description: 'What went wrong',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function contentOf({ answer }: Operation): Record<string, unknown> {
  if (!('mediaTypes' in answer)) return { 'application/json': { schema: schemaOf(answer, 'output') } };
  return Object.fromEntries(
    Object.entries(answer.mediaTypes).map(([type, schema]) => [
      type,
      { schema: schema === null ? { type: 'string' } : schemaOf(schema, 'output') },
    ]),
  );
}

function parametersOf({ path, query, headers = {} }: Operation): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inHeader = Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  const properties =
    query === undefined ? {} : (schemaOf(query, 'input')['properties'] as Record<string, object>);
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

/** `get /api/runs/{id}/plan` → `getApiRunsIdPlan`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
