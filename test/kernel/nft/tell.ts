import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NetNamespace } from '../../../src/sys/index.ts'
import { inNamespace } from '../../support/namespace.ts'

/** Runs `nft -f` with these lines. */
export async function tell(namespace: NetNamespace, lines: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nft-'))
  try {
    writeFileSync(join(folder, 'lines'), `${lines.join('\n')}\n`)
    await inNamespace(namespace, ['nft', '-f', join(folder, 'lines')])
  } finally {
    await rm(folder, { recursive: true })
  }
}
