import { isDeepStrictEqual } from 'node:util'
import { Cache, Inputs, sha256Of } from '../image/index.ts'
import { OverlayError } from './errors.ts'
import { type Source, sourceOf } from './merge.ts'
import { readPrograms } from './programs.ts'

/** Part of every request: incremented when the same files would give other entries. */
const format = 1

export interface RecallOptions {
  readonly roots: readonly string[]
  /** Where hashes are kept. */
  readonly cacheDir: string
}

type Known = Pick<Source, 'accounts' | 'remarks' | 'digests'>

/**
 * Programs of this machine for guests, as {@link readPrograms} finds them. Their files are read when the cache does not
 * have their hashes, or when one has changed since: `stat` tells. A start from a template then reads none of them.
 */
export async function recallPrograms(
  names: readonly string[],
  { roots, cacheDir }: RecallOptions,
): Promise<Source> {
  const cache = new Cache(cacheDir)
  const request = JSON.stringify([format, names, roots])
  const read = async (inputs?: Inputs) =>
    sourceOf(await readPrograms(names, { roots, ...(inputs && { inputs }) }))
  const recalled = cache.recall(request)?.facts as Known | undefined
  if (recalled) {
    const entries = async () => {
      const source = await read()
      if (!isDeepStrictEqual(source.digests, recalled.digests)) throw changed(names)
      return source.entries()
    }
    return { name: 'programs', ...recalled, entries }
  }
  const inputs = new Inputs()
  const source = await read(inputs)
  const { accounts = [], remarks, digests } = source
  const known: Known = { accounts, remarks, digests }
  const key = sha256Of(Buffer.from(JSON.stringify(known))).slice(0, 32)
  const remembered = cache
    .store(key, {}, known)
    .then(entry => cache.remember(request, entry, inputs.fingerprints()))
  await remembered.catch(() => {}) // the next start reads them again
  return source
}

function changed(names: readonly string[]): OverlayError {
  return new OverlayError({
    code: 'PROGRAMS_CHANGED',
    op: 'read programs',
    target: names.join(', '),
    reason: 'their files, or those of their packages, were changed during the start',
    remedy: 'Start again when their installation is over',
  })
}
