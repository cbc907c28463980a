import type { Command } from 'commander';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';

const NAME_WIDTH = 14;

export function doctorCommand({ screen, end }: Cli): Command {
  const json = '{"ok", "findings": [{"name", "state": "ok | note | wrong", "detail"}]}';
  return withUrl(newCommand('doctor', 'says what works on this machine and what does not', json)).action(
    async (options: ApiOptions) => {
      const { examine } = await import('../client/examine.ts');
      const findings = await examine(configOf(options));
      const ok = findings.every(({ state }) => state !== 'wrong');
      if (options.json === true) screen.json({ ok, findings });
      else {
        const { paint } = screen;
        const marks = { ok: paint.good('ok   '), note: 'note ', wrong: paint.bad('wrong') };
        for (const { name, state, detail } of findings)
          screen.out(`${marks[state]}  ${name.padEnd(NAME_WIDTH)}${detail}`);
      }
      end(ok ? exitCodes.done : exitCodes.failed);
    },
  );
}
