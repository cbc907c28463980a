import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { topics } from '../../../shared/messages/topics.ts';
import { DEFAULT_ROUTE, routeOf, ROUTES } from '../../../shared/runtime/routes.ts';
import { DEAD_LETTER_TOPIC, SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';

const functions = fileURLToPath(new URL('../../../functions/', import.meta.url));
const FUNCTION_LANE_LIMIT_SECONDS = 9 * 60;

/** Functions by how their index registers them. */
function registered(by: 'registerHttp' | 'registerMessage'): string[] {
  return readdirSync(functions).filter((name) => {
    const files = readdirSync(`${functions}/${name}`);
    return files.includes('index.ts') && readFileSync(`${functions}/${name}/index.ts`, 'utf8').includes(by);
  });
}

describe('The subscriptions', () => {
  it('are one for each function behind a topic, on the topic that it takes', () => {
    expect(SUBSCRIPTIONS.map((one) => one.function).toSorted()).toEqual(registered('registerMessage'));
    for (const { function: name, topic } of SUBSCRIPTIONS)
      expect(readFileSync(`${functions}/${name}/${name}.ts`, 'utf8')).toContain(`topic: '${topic}'`);
  });

  it('are one for each topic', () => {
    expect(SUBSCRIPTIONS.map(({ topic }) => topic).toSorted()).toEqual(Object.keys(topics).toSorted());
  });

  it('give up after some deliveries, except on what others have given up', () => {
    for (const { topic, maxDeliveryAttempts } of SUBSCRIPTIONS)
      expect(maxDeliveryAttempts === undefined).toBe(topic === DEAD_LETTER_TOPIC);
  });

  it('stay within what Pub/Sub takes', () => {
    for (const one of SUBSCRIPTIONS) {
      expect(one.ackDeadlineSeconds).toBeGreaterThanOrEqual(10);
      expect(one.ackDeadlineSeconds).toBeLessThanOrEqual(600);
      expect(one.maxDeliveryAttempts ?? 5).toBeGreaterThanOrEqual(5);
      expect(one.maxDeliveryAttempts ?? 5).toBeLessThanOrEqual(100);
      expect(one.maxBackoffSeconds).toBeLessThanOrEqual(600);
      expect(one.minBackoffSeconds).toBeLessThanOrEqual(one.maxBackoffSeconds);
    }
  });

  it('wait for agents of the function lane until their limit', () => {
    const waiting = SUBSCRIPTIONS.filter((one) =>
      ['agent-execution', 'decomposition'].includes(one.function),
    );
    expect(waiting).toHaveLength(2);
    for (const { ackDeadlineSeconds } of waiting)
      expect(ackDeadlineSeconds).toBeGreaterThan(FUNCTION_LANE_LIMIT_SECONDS);
  });
});

describe('The routes', () => {
  it('lead to every HTTP function', () => {
    const named = new Set([...ROUTES.map((route) => route.function), DEFAULT_ROUTE]);
    expect([...named].toSorted()).toEqual(registered('registerHttp'));
  });

  it.each([
    ['POST', '/webhooks/github', 'webhooks'],
    ['GET', '/webhooks/github', 'api'],
    ['POST', '/internal/attempts/model/v1/messages', 'attempts'],
    ['POST', '/internal/runs/abcd1234/stages/plan', 'stages'],
    ['GET', '/internal/runs/abcd1234', 'stages'],
    ['POST', '/internal/decisions/abcd1234/due', 'stages'],
    ['POST', '/internal/sweep', 'sweep'],
    ['POST', '/internal/sweep/more', 'api'],
    ['POST', '/api/requirements', 'intake'],
    ['POST', '/api/v1/pm/tasks', 'intake'],
    ['GET', '/api/requirements', 'api'],
    ['POST', '/api/runs/abcd1234/cancel', 'api'],
    ['GET', '/', 'api'],
  ])('send %s %s to %s', (method, path, name) => {
    expect(routeOf(method, path)).toBe(name);
  });
});
