import type { Command } from 'commander'
import { requireTrustedPlace } from '../../client/index.ts'
import type { CachedTemplate } from '../../vm/index.ts'
import { CliError } from '../errors.ts'
import { onFile } from '../named-file.ts'
import { print, printJson, tell } from '../output.ts'
import type { Session } from '../session.ts'
import { bytesText, cacheTable } from '../view/cache.ts'

interface CacheOptions {
  readonly json?: boolean
}

export function configure(command: Command, session: Session): void {
  const cache = (): string => {
    requireTrustedPlace('cache', session.places.cache)
    return session.places.cache
  }
  command.helpCommand(false)
  const sub = (name: string, about: string) =>
    command
      .command(name)
      .description(about)
      .option('--json', 'print one JSON value (docs/json.md)')
      .option('--debug', 'print the stack of an error')
  sub('list', 'List the templates, the least recently used first.').action((options: CacheOptions) =>
    list(cache(), options),
  )
  sub('clear', 'Remove all templates, or some. Running clusters have their own copy.')
    .argument('[keys...]', 'the first digits of their keys (default: all)')
    .action((keys: string[], options: CacheOptions) => clear(cache(), keys, options))
  sub('export', 'Write templates to one file, for another machine of the same kind.')
    .argument('<words...>', 'the first digits of their keys, then the file')
    .usage('[options] KEY… FILE')
    .action((words: string[], options: CacheOptions) => exportTo(cache(), words, options))
  sub('import', 'Import templates from such a file, after checking all of it.')
    .argument('<file>')
    .action((file: string, options: CacheOptions) => importFrom(cache(), file, options))
}

async function list(cache: string, { json }: CacheOptions): Promise<void> {
  const { listTemplates } = await import('../../vm/index.ts')
  const templates = await listTemplates(cache)
  if (json) printJson({ v: 1, templates: templates.map(jsonOf) })
  else if (templates.length === 0) tell('There are no templates. The next start makes those that it needs.')
  else print(cacheTable(templates, Date.now()))
}

async function clear(cache: string, typed: readonly string[], { json }: CacheOptions): Promise<void> {
  const { listTemplates, removeTemplates } = await import('../../vm/index.ts')
  const chosen = choose(await listTemplates(cache), typed)
  const removed = await removeTemplates(
    cache,
    chosen.map(({ key }) => key),
  )
  const gone = chosen.filter(({ key }) => removed.includes(key))
  const freedBytes = gone.reduce((sum, { bytes }) => sum + bytes, 0)
  if (json) return printJson({ v: 1, removed, freedBytes })
  tell(`Removed ${count(gone.length)}, freed ${bytesText(freedBytes)}.`)
  if (gone.length < chosen.length) tell(`Skipped ${count(chosen.length - gone.length)}: still being made.`)
}

async function exportTo(cache: string, words: readonly string[], { json }: CacheOptions): Promise<void> {
  const [file, typed] = [words.at(-1)!, words.slice(0, -1)]
  if (typed.length === 0)
    throw new CliError({
      code: 'BAD_USAGE',
      kind: 'usage',
      reason: 'a key or the file is missing',
      remedy: 'Write: xc cache export KEY… FILE',
    })
  const { exportTemplates, listTemplates } = await import('../../vm/index.ts')
  const keys = choose(await listTemplates(cache), typed).map(({ key }) => key)
  await onFile(file, () => exportTemplates(cache, keys, file))
  if (json) printJson({ v: 1, keys, file })
  else tell(`Wrote ${count(keys.length)} to ${file}.`)
}

async function importFrom(cache: string, file: string, { json }: CacheOptions): Promise<void> {
  const { importTemplates } = await import('../../vm/index.ts')
  const keys = await onFile(file, () => importTemplates(cache, file))
  if (json) printJson({ v: 1, keys })
  else tell(`Imported ${count(keys.length)}.`)
}

/** The templates whose keys begin with the typed digits; all when none were typed. */
function choose(templates: readonly CachedTemplate[], typed: readonly string[]): CachedTemplate[] {
  if (typed.length === 0) return [...templates]
  const chosen = typed.map(start => {
    const found = templates.filter(({ key }) => key.startsWith(start))
    if (found.length === 1) return found[0]!
    const reason = `${found.length === 0 ? 'no template has' : 'more than one template has'} a key that begins with '${start}'`
    const remedy = 'List them with: xc cache list'
    throw new CliError({
      code: 'CACHE_KEY',
      kind: found.length === 0 ? 'missing' : 'usage',
      reason,
      remedy,
    })
  })
  return [...new Set(chosen)]
}

function jsonOf({ key, bytes, usedAt, shape }: CachedTemplate): object {
  const made = shape && { ...shape, madeAt: new Date(shape.madeAt).toISOString() }
  return { key, bytes, usedAt: new Date(usedAt).toISOString(), ...(made && { shape: made }) }
}

function count(number: number): string {
  return `${number} template${number === 1 ? '' : 's'}`
}
