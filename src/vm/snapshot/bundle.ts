import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import { foreign } from '../template/errors.ts'
import { whyForeign } from '../template/facts.ts'
import { withLock } from '../template/lock.ts'
import { BundleReader, writeBundle, writeWhole } from './bundle-file.ts'
import { closeLoaded, emptyDraft, fileNames, install, layerName, loadTemplate, templatesIn } from './store.ts'

/**
 * Templates in one file, for another machine of the same kind: one after another, each in the form
 *
 * ```text
 * {"format":"xcluster template","v":1,"key":"…","sizes":[n,n,n]}⏎   manifest.json, ram, state, perhaps layer   64 hex digits
 * ```
 *
 * The digits are the SHA-256 of everything before them, from this template's head on.
 */
interface Head {
  readonly format: 'xcluster template'
  readonly v: 1
  readonly key: string
  readonly sizes: readonly number[]
}

const usualNames = Object.values(fileNames)
const namesWithLayer = [...usualNames, layerName]

/** Writes templates of the cache to a file, which appears under its name when it is complete. */
export async function exportTemplates(
  cacheDir: string,
  keys: readonly string[],
  path: string,
): Promise<void> {
  await writeWhole(path, async out => {
    for (const key of keys) await exportOne(cacheDir, key, out)
  })
}

async function exportOne(cacheDir: string, key: string, out: FileHandle): Promise<void> {
  const directory = join(templatesIn(cacheDir), key)
  const loaded = await loadTemplate(directory, key)
  if (!loaded) throw noSuch(key)
  await closeLoaded(loaded)
  const names = loaded.manifest.layer ? namesWithLayer : usualNames
  const paths = names.map(name => join(directory, name))
  await writeBundle(out, { format: 'xcluster template', v: 1, key }, paths)
}

/**
 * Adds exported templates to the cache, each after all of it has been checked, and returns their keys. When
 * one is damaged, or of another QEMU or CPU than this machine's, those before it are in the cache.
 */
export async function importTemplates(cacheDir: string, path: string): Promise<string[]> {
  await using file = await open(path)
  const { size } = await file.stat()
  const keys: string[] = []
  for (let at = 0; at < size || keys.length === 0; ) {
    const reader = new BundleReader<Head>({ path, file, kind: 'template' }, at)
    keys.push(await importOne(cacheDir, reader))
    at = reader.at
  }
  return keys
}

async function importOne(cacheDir: string, reader: BundleReader<Head>): Promise<string> {
  const { key, sizes } = await reader.head(readHead)
  const directory = join(templatesIn(cacheDir), key)
  makeDirectory(dirname(directory), 0o700)
  await withLock(directory, async () => {
    const draft = await emptyDraft(directory)
    try {
      for (const [index, size] of sizes.entries())
        await reader.part(size, join(draft, namesWithLayer[index]!))
      await reader.end()
      const loaded = await loadTemplate(draft, key)
      if (loaded) await closeLoaded(loaded)
      const why = loaded && (await whyForeign(loaded.manifest.facts))
      if (why) throw foreign(reader.path, why)
      await install(draft, directory)
    } catch (failure) {
      await rm(draft, { recursive: true, force: true })
      throw failure
    }
  })
  return key
}

function readHead(line: string): Head | undefined {
  const head = JSON.parse(line) as Head
  const { format, key, sizes, v } = head
  const isOurs = format === 'xcluster template' && v === 1 && /^[0-9a-f]{64}$/.test(key)
  const isWhole = sizes.length === usualNames.length || sizes.length === namesWithLayer.length
  return isOurs && isWhole ? head : undefined
}

function noSuch(key: string): VmError {
  const remedy = 'listTemplates gives those in the cache'
  return new VmError({
    code: 'TEMPLATE_UNKNOWN',
    kind: 'missing',
    op: 'export template',
    target: key,
    reason: 'the cache does not have it',
    remedy,
  })
}
