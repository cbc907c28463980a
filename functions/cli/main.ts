#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import type { Cli } from './cli.ts';
import { cancelCommand } from './commands/cancel.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { decideCommand } from './commands/decide.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { forkCommand } from './commands/fork.ts';
import { logsCommand } from './commands/logs.ts';
import { messageCommand } from './commands/message.ts';
import { openCommand } from './commands/open.ts';
import { pauseCommand } from './commands/pause.ts';
import { planCommand } from './commands/plan.ts';
import { resumeCommand } from './commands/resume.ts';
import { retryCommand } from './commands/retry.ts';
import { runsCommand } from './commands/runs.ts';
import { showCommand } from './commands/show.ts';
import { submitCommand } from './commands/submit.ts';
import { upCommand } from './commands/up.ts';
import { watchCommand } from './commands/watch.ts';
import { workflowsCommand } from './commands/workflows.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { createScreen } from './screen.ts';
import { hasColours } from '../../shared/runtime/cli-config.ts';

const EXIT_CODES_TEXT = `
Exit codes: 0 done, 1 the run failed, 2 usage, 3 cannot reach the server, 4 needs a decision.`;

const screen = createScreen({ noColour: !hasColours() });
const cli: Cli = {
  screen,
  end: (code) => {
    process.exitCode = code;
  },
};

function program(): Command {
  const root = new Command('penstock')
    .description(
      'Carries a software requirement to a team of AI agents and brings back a reviewed pull request.',
    )
    .addHelpText('after', EXIT_CODES_TEXT);
  const makers = [
    upCommand,
    demoCommand,
    submitCommand,
    planCommand,
    runsCommand,
    showCommand,
    watchCommand,
    logsCommand,
    cancelCommand,
    pauseCommand,
    resumeCommand,
    retryCommand,
    forkCommand,
    decideCommand,
    messageCommand,
    deadLettersCommand,
    workflowsCommand,
    openCommand,
    doctorCommand,
  ];
  for (const make of makers) root.addCommand(make(cli));
  for (const command of [root, ...root.commands]) {
    command.exitOverride().configureOutput({ outputError: (text, write) => write(usageLine(text, command)) });
  }
  return root;
}

/** One line: what is wrong, and where the right way stands. */
function usageLine(text: string, command: Command): string {
  const name = command.parent === null ? 'penstock' : `penstock ${command.name()}`;
  return `penstock: ${text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')}; see '${name} --help'\n`;
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    cli.end(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  } else {
    screen.error(error);
    cli.end(exitCodeOfError(error));
  }
}
await screen.drain();
