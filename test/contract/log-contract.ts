import { describe, expect, it } from '@jest/globals';
import type { Log } from '../../shared/ports/log.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'SILENT';

export interface LogUnderTest {
  log: Log;
  /** Everything written so far. */
  text: () => string;
}

/** Shaped like a token of GitHub; made of nothing. */
const SECRET = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
const LEVELS: LogLevel[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'SILENT'];

/** What every log does: one line per entry, in the shape that Cloud Logging reads, without secrets. */
export function logContract(name: string, make: (level: LogLevel) => LogUnderTest): void {
  describe(`${name} as a log`, () => {
    /** The entries that `write` makes, each from a line of its own. */
    function entries(write: (log: Log) => void, level: LogLevel = 'DEBUG'): Record<string, unknown>[] {
      const { log, text } = make(level);
      write(log);
      const lines = text().split('\n');
      expect(lines.pop()).toBe('');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    }
    const only = (write: (log: Log) => void): Record<string, unknown> => {
      const all = entries(write);
      expect(all).toHaveLength(1);
      return all[0] ?? {};
    };

    it('writes severity, message and time, and nothing that it was not told', () => {
      const before = Date.now();
      const { time, ...entry } = only((log) => log.info('a run began'));
      expect(entry).toEqual({ severity: 'INFO', message: 'a run began' });
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(String(time))).toBeGreaterThanOrEqual(before);
      expect(Date.parse(String(time))).toBeLessThanOrEqual(Date.now());
    });

    it('calls its levels as Cloud Logging does', () => {
      const all = entries((log) => {
        log.debug('a');
        log.info('b');
        log.warn('c');
        log.error('d');
      });
      expect(all.map(({ severity }) => severity)).toEqual(['DEBUG', 'INFO', 'WARNING', 'ERROR']);
    });

    it.each(LEVELS.map((level, index) => [level, LEVELS.slice(index, 4)] as const))(
      'at level %s writes %j only',
      (level, expected) => {
        const all = entries((log) => {
          log.debug('a');
          log.info('b');
          log.warn('c');
          log.with({ run: 'r' }).error('d');
        }, level);
        expect(all.map(({ severity }) => severity)).toEqual(expected);
      },
    );

    it('writes fields beside the message', () => {
      const entry = only((log) =>
        log.warn('slow', {
          tenant: 't',
          run: 'r',
          task: 'x',
          generation: 2,
          ms: 1.5,
          nested: { deep: [1, 'two', null, true] },
        }),
      );
      expect(entry).toMatchObject({
        tenant: 't',
        run: 'r',
        task: 'x',
        generation: 2,
        ms: 1.5,
        nested: { deep: [1, 'two', null, true] },
      });
    });

    it('keeps the fields of `with` for that log alone, and the nearest one wins', () => {
      const all = entries((log) => {
        const child = log.with({ tenant: 't', run: 'r' }).with({ task: 'x' });
        child.info('a', { run: 'other' });
        child.info('b');
        log.info('c');
      });
      expect(all[0]).toMatchObject({ tenant: 't', run: 'other', task: 'x' });
      expect(all[1]).toMatchObject({ tenant: 't', run: 'r', task: 'x' });
      expect(Object.keys(all[2] ?? {}).toSorted()).toEqual(['message', 'severity', 'time']);
    });

    it('writes each name once in a line', () => {
      const { log, text } = make('DEBUG');
      log.with({ run: 'first' }).info('a', { run: 'second' });
      expect(text().match(/"run":/g)).toHaveLength(1);
    });

    it('lets no field take the place of severity, message or time', () => {
      const entry = only((log) =>
        log.error('broken', { severity: 'DEBUG', message: 'fine', time: '1970-01-01' }),
      );
      expect(entry).toMatchObject({ severity: 'ERROR', message: 'broken' });
      expect(Date.parse(String(entry['time']))).toBeGreaterThan(0);
      expect(JSON.stringify(entry)).toContain('fine');
    });

    it('stays one line whatever the text', () => {
      const message = 'two\nlines\r\n"quoted" \\ \u0000 żółw';
      expect(only((log) => log.info(message, { text: message }))).toMatchObject({ message, text: message });
    });

    it('writes what an error was', () => {
      const entry = only((log) => log.error('it broke', { cause: new TypeError('no such thing') }));
      expect(JSON.stringify(entry['cause'])).toContain('no such thing');
    });

    it('survives a value that contains itself, and one without an end', () => {
      const loop: Record<string, unknown> = { name: 'loop' };
      loop['self'] = loop;
      const deep = Array.from({ length: 500 }).reduce<object>((inner) => ({ inner }), {});
      expect(only((log) => log.info('odd', { loop, deep }))).toMatchObject({
        message: 'odd',
        loop: { name: 'loop' },
      });
    });

    it.each<[string, (log: Log) => void]>([
      ['in the message', (log) => log.info(`cloning with ${SECRET}`)],
      ['in the message, at the beginning of a line', (log) => log.info(`output:\n${SECRET}\n`)],
      ['in a field', (log) => log.info('x', { url: `https://${SECRET}@github.com` })],
      ['in a field, at the beginning of a line', (log) => log.info('x', { output: `a\n${SECRET}\tb` })],
      ['deep in a field', (log) => log.info('x', { a: { b: [{ c: SECRET }] } })],
      ['as the name of a field', (log) => log.info('x', { a: { [SECRET]: 1 } })],
      ['in a field of `with`', (log) => log.with({ remote: SECRET }).info('x')],
      ['in an error', (log) => log.error('x', { err: new Error(`refused ${SECRET}`) })],
      ['in a header', (log) => log.info('x', { authorization: `Basic ${SECRET}` })],
      [
        'in what makes its own JSON',
        (log) => log.info('x', { url: new URL(`https://x:${SECRET}@example.com/`) }),
      ],
    ])('writes no secret %s', (_, write) => {
      const entry = only(write);
      expect(JSON.stringify(entry)).not.toContain(SECRET);
      expect(JSON.stringify(entry)).toContain('[redacted');
    });

    it('writes no secret that only its name gives away', () => {
      const key = `wJalrXUtnFEMI/${'K7MDENG'.repeat(4)}`.slice(0, 40);
      const entry = only((log) => log.info('x', { env: { aws_secret_access_key: key } }));
      expect(JSON.stringify(entry)).not.toContain(key);
    });

    it.each(['ticket', 'token', 'authToken', 'apiKey', 'password', 'Authorization', 'PENSTOCK_TICKET'])(
      'writes nothing that is called %s',
      (field) => {
        const own = 'local.r1234567.build.1.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdE';
        const entry = only((log) => log.info('x', { [field]: own, nested: { [field]: own } }));
        expect(JSON.stringify(entry)).not.toContain(own);
      },
    );

    it('leaves alone what only sounds like a secret', () => {
      const fields = { tokens: 12, maxTokens: '5', inputTokens: 7, hash: 'a'.repeat(64) };
      expect(only((log) => log.info('the token budget is spent', fields))).toMatchObject({
        message: 'the token budget is spent',
        ...fields,
      });
    });
  });
}
