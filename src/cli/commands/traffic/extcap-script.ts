import { chmod, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../../../base/index.ts'
import { CliError } from '../../errors.ts'
import { print, tell } from '../../output.ts'
import type { Session } from '../../session.ts'

/** Wireshark starts programs without arguments of ours, and perhaps without a PATH that has Node. */
export async function installExtcap(session: Session, given: string | true): Promise<void> {
  const directory = given === true ? ownFolder(session) : given
  const path = join(directory, 'xcluster')
  const { makeDirectory } = await import('../../../host/index.ts')
  const words = [process.execPath, await realpath(process.argv[1]!)].map(quoted)
  try {
    makeDirectory(directory)
    await writeFile(path, `#!/bin/sh\nexec ${words.join(' ')} extcap "$@"\n`)
    await chmod(path, 0o755)
  } catch (cause) {
    throw new CliError({
      code: 'EXTCAP_NOT_INSTALLED',
      op: 'write',
      target: path,
      reason: reasonOf(cause),
      cause,
    })
  }
  tell('Wireshark lists running clusters after its next start, or after Capture > Refresh Interfaces.')
  print(`${path}\n`)
}

function ownFolder({ env }: Session): string {
  const { HOME } = env
  if (HOME) return join(HOME, '.local/lib/wireshark/extcap')
  const reason = 'HOME is not set'
  const remedy = 'Name a directory: --install-extcap DIR'
  throw new CliError({ code: 'BAD_USAGE', kind: 'usage', target: 'capture', reason, remedy })
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
