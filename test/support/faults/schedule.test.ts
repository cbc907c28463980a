import { describe, expect, it } from '@jest/globals';
import { callsOfARun, type Driver, portOfCall } from './calls-of-a-run.ts';
import { faultText } from './fault.ts';
import { GITHUB_ROUTES } from './github-faults.ts';
import { killSchedules, scheduleOf } from './schedule.ts';

const many = Array.from({ length: 300 }, (_, seed) => scheduleOf(seed, 'local'));

describe('a schedule', () => {
  it('is the same for the same seed, another for another, and survives being written down', () => {
    const schedule = scheduleOf(7, 'local');
    expect(scheduleOf(7, 'local')).toEqual(schedule);
    expect(scheduleOf(8, 'local').faults).not.toEqual(schedule.faults);
    expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule);
  });

  it('has one to five faults, of several kinds together, each of which a person can read', () => {
    expect(new Set(many.map(({ faults }) => faults.length))).toEqual(new Set([1, 2, 3, 4, 5]));
    const mixed = many.filter(({ faults }) => new Set(faults.map(({ kind }) => kind)).size > 1);
    expect(mixed.length).toBeGreaterThan(150);
    for (const { faults } of many) for (const fault of faults) expect(faultText(fault)).toMatch(/\w+ .+\d/);
  });

  it.each(['local', 'cluster'] as const)('draws every kind of fault, in every way that it has (%s)', (on) => {
    const faults = Array.from({ length: 300 }, (_, seed) => scheduleOf(seed, on).faults).flat();
    const ways = faults.map(
      (fault) => `${fault.kind} ${'when' in fault ? fault.when : 'how' in fault ? fault.how : ''}`,
    );
    const due = [
      'kill before',
      'kill after',
      'fail before',
      'fail after',
      'clock ',
      ...['drop', 'twice', 'delay', 'swap'].map((how) => `message ${how}`),
      ...['rate_limit', 'overloaded', 'error', 'slow', 'garbage', 'cut', 'nonsense'].map(
        (how) => `model ${how}`,
      ),
      ...['limit', 'unavailable', 'lost'].map((how) => `github ${how}`),
      ...(on === 'local' ? [] : ['restart', 'pause', 'stall'].map((how) => `emulator ${how}`)),
    ];
    expect(new Set(ways)).toEqual(new Set(due));
  });

  it('is of a run that the platform drives itself, or one that a workflow does, whose own calls it strikes too', () => {
    expect(new Set(many.map(({ driver }) => driver))).toEqual(new Set(['direct', 'requirement']));
    const struck = many.flatMap(({ faults }) => faults.map((fault) => ('call' in fault ? fault.call : '')));
    for (const call of ['workflows.start', 'workflows.wake', 'codeHost.readCi'])
      expect(struck).toContain(call);
    const named = (driver: Driver): string[] => Object.keys(callsOfARun.local[driver]['host'] ?? {});
    const own = named('requirement').filter((call) => !named('direct').includes(call));
    expect(own).toContain('POST /internal/runs/*/claim');
  });

  it('fails only calls of ports, and names calls that a run makes', () => {
    for (const { driver, faults } of many) {
      for (const fault of faults) {
        if (!('call' in fault)) continue;
        expect(callsOfARun.local[driver][fault.process]?.[fault.call]).toBeGreaterThanOrEqual(fault.nth);
        if (fault.kind === 'fail')
          expect(['store', 'queue', 'blobs', 'jobs', 'workflows']).toContain(portOfCall(fault.call));
      }
    }
  });
});

describe('GitHub', () => {
  it('may fail every request that a run makes of it', () => {
    const requests = Object.keys(callsOfARun.local.requirement['host'] ?? {})
      .map((call) => call.replaceAll('*', '1').split(' '))
      .filter(([, path = '']) => /^\/(app|repos|graphql)/.test(path));
    const unmatched = requests.filter(
      ([verb, url = '']) =>
        !Object.values(GITHUB_ROUTES).some(({ method, path }) => method === verb && path.test(url)),
    );
    expect(requests.length).toBeGreaterThan(20);
    expect(unmatched).toEqual([]);
  });
});

describe('schedules of one kill each', () => {
  it('pass through every port of the platform and of jobs before any comes again', () => {
    const kills = killSchedules(3, 10, 'local').flatMap(({ faults }) => faults);
    expect(kills).toHaveLength(10);
    const ports = kills.map((fault) =>
      'call' in fault ? `${fault.process.split(' ')[0]} ${portOfCall(fault.call)}` : '',
    );
    expect(new Set(ports).size).toBe(10);
    expect(new Set(kills.map(({ kind }) => kind))).toEqual(new Set(['kill']));
  });
});
