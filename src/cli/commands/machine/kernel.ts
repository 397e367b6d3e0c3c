import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../../errors.ts'
import type { Session } from '../../session.ts'

interface BuildOptions {
  readonly fragment?: readonly string[]
  readonly jobs?: string
  readonly install?: boolean
  readonly refresh?: boolean
}

export function configure(command: Command, session: Session): void {
  command.helpCommand(false)
  command
    .command('build')
    .description("Build a small kernel for guests from Debian's source, and print where it is.")
    .option(
      '--fragment <file>',
      'more options of its configuration; may be repeated',
      (file, before?: string[]) => [...(before ?? []), file],
    )
    .option('--jobs <n>', 'how many compilers run at a time (default: one for each processor)')
    .option('--install', 'install missing Debian packages (as root) instead of naming them')
    .option('--refresh', 'fetch a newer source, if there is one')
    .option('--debug', 'print the stack of an error')
    .addHelpText('after', '\nIn one line: xc start --kernel $(xc kernel build). See docs/guests.md.')
    .action((options: BuildOptions) => build(session, options))
}

async function build(session: Session, options: BuildOptions): Promise<void> {
  const { fragment = [], install = false, refresh = false } = options
  const jobs = jobsOf(options)
  const { buildKernel } = await import('../../../host/index.ts')
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole process group, and ends the build itself
  const fragments = fragment.map(file => resolve(file))
  process.exitCode = await buildKernel({ fragments, jobs, install, refresh, env: session.env })
}

function jobsOf({ jobs }: BuildOptions): number | undefined {
  if (jobs === undefined || /^[1-9]\d{0,3}$/.test(jobs)) return jobs === undefined ? undefined : Number(jobs)
  throw new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: '--jobs',
    reason: `'${jobs}' is not a whole number from 1 to 9999`,
  })
}
