import type { Command } from 'commander'
import type { Session } from '../../session.ts'

export function configure(command: Command, session: Session): void {
  command
    .option('--install', 'install missing Debian packages (as root) instead of naming them')
    .option('--build', 'build the native code here, even if this package brings what fits')
    .addHelpText('after', '\nIt can be run again: what is done already is skipped. See docs/setup.md.')
    .action(async ({ install = false, build = false }: { install?: boolean; build?: boolean }) => {
      const { setUp } = await import('../../../host/index.ts')
      process.on('SIGINT', () => {}) // Ctrl-C reaches the whole process group, and ends the set-up itself
      process.exitCode = await setUp({ install, build, env: session.env })
    })
}
