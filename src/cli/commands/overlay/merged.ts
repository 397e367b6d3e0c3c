import type { Readable } from 'node:stream'
import { topologyName } from '../../../plan/index.ts'
import { settingsOf } from '../../options/settings.ts'
import { tell } from '../../output.ts'
import type { Session } from '../../session.ts'

/** One archive of several overlays. A file of a later one replaces that of an earlier one, which is said. */
export async function mergedOverlays(session: Session, names: readonly string[]): Promise<Readable> {
  const { findOverlay, merge, readOverlay, sourceOf, writeTar } = await import('../../../host/index.ts')
  const { ovlPath, topology } = settingsOf(session, {})
  const sources = names.map(name => findOverlay(name, { paths: ovlPath, from: process.cwd() }))
  const env = { XCLUSTER: process.argv[1], ...session.env, TOPOLOGY: topologyName(topology) }
  const read = []
  for (const source of sources)
    read.push(sourceOf({ name: source.name, ...(await readOverlay(source, { env })) }))
  const { additions, remarks } = merge(read)
  for (const remark of new Set(remarks)) tell(`note: ${remark}`)
  return writeTar(await additions.entries())
}
