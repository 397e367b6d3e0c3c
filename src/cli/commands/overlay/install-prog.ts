import { symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { isSystemError } from '../../../base/index.ts'
import { tell } from '../../output.ts'
import type { Session } from '../../session.ts'

/** For the `tar` of overlays: copies programs of this machine, with all that they need, below a directory. */
export function configure(command: Command, { places }: Session): void {
  command
    .argument('<programs...>', 'names of programs or of installed packages')
    .requiredOption('--dest <dir>', "the directory that becomes the guest's root")
    .option('--base-libs-only', 'accepted: libraries are always those that the programs need')
    .action(async (programs: string[], { dest }: { dest: string }) => {
      const { guestRoots, makeDirectory, readPrograms } = await import('../../../host/index.ts')
      const { entries, remarks } = await readPrograms(programs, { roots: guestRoots(places.cache) })
      for (const remark of remarks) tell(`note: ${remark}`)
      for (const entry of entries) {
        const path = join(dest, entry.path)
        makeDirectory(dirname(path))
        if (entry.kind === 'file') await writeFile(path, entry.content, { mode: entry.mode })
        else if (entry.kind === 'directory') makeDirectory(path)
        else if (entry.kind === 'link') await linkOnce(entry.target, path)
      }
    })
}

async function linkOnce(target: string, path: string): Promise<void> {
  await symlink(target, path).catch(failure => {
    if (!isSystemError(failure, 'EEXIST')) throw failure
  })
}
