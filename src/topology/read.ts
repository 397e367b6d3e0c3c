import { dirname, extname, resolve } from 'node:path'
import { kindOf, messageOf, systemClock, within, XclusterError } from '../base/index.ts'
import {
  resolveSettings,
  type SettingOptions,
  type Topology,
  topologyOf,
  withPathsFrom,
} from '../plan/index.ts'
import { checkTopology } from './check.ts'
import { checkFile, type Document, moduleDocument, type Path, readYaml } from './document.ts'
import { badTopology } from './errors.ts'
import { fileOfTopology, topologyOfFile } from './form.ts'
import { problemOf } from './problem.ts'
import { fileSchema, type TopologyFile } from './schema.ts'

/** A topology with the settings that its file gives. */
export interface TopologyGiven {
  readonly topology: Topology
  readonly settings: SettingOptions
}

const modules = ['.ts', '.mts', '.js', '.mjs']

/**
 * Reads a topology file: YAML, JSON, or a module whose default export has the same form. Its relative paths are below
 * its directory. Throws BAD_TOPOLOGY with line and column.
 */
export async function readTopology(path: string): Promise<TopologyGiven> {
  const file = resolve(path)
  return labOf(await documentOf(path, file), file)
}

async function documentOf(path: string, file: string): Promise<Document> {
  if (!modules.includes(extname(file))) return await readYaml(path, file)
  await checkFile(path, file)
  const value = await defaultExport(path, file)
  if (typeof value === 'object' && value !== null) return moduleDocument(path, value)
  const reason = `its default export is ${kindOf(value)}, not a topology`
  throw badTopology(path, reason, 'docs/topologies.md says what a file may have')
}

const longestLoadMs = 10_000
const neverLoaded = () =>
  new Error('it has not loaded within 10 s: something that it waits for does not come')

async function defaultExport(path: string, file: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  try {
    // With its usual setting, jiti reads `then` of a default export that is null.
    const { import: load } = createJiti(file, { fsCache: false, moduleCache: false, interopDefault: false })
    const loading = load<{ default?: unknown }>(file)
    const loaded = await within(loading, { clock: systemClock, ms: longestLoadMs, late: neverLoaded })
    return loaded.default
  } catch (failure) {
    const said = messageOf(failure).split('\n')[0]!
    throw badTopology(path, failure instanceof Error ? said : `it throws ${said}, which is not an error`)
  }
}

/** The topology and settings of a document that was read from `file`. */
export function labOf(document: Document, file?: string): TopologyGiven {
  const given = shaped(document)
  const settings = settingsIn(given, document, file)
  const topology: Topology = {
    ...topologyOfFile(withBase(given, document)),
    ...(file !== undefined && { file }),
    ...(Object.keys(settings).length > 0 && { settings }),
  }
  checkTopology({ topology, settings, document })
  return { topology, settings }
}

function shaped(document: Document): TopologyFile {
  const reserved = prototypeKeyIn(document.value)
  if (reserved) throw badTopology(document.place(reserved), 'no key can have this name')
  const { data, error } = fileSchema.safeParse(document.value)
  if (data) return data
  const { path, reason } = problemOf(error.issues[0]!)
  throw badTopology(document.place(path), reason, 'docs/topologies.md says what a file may have')
}

/** Where a key is that a copy of its object loses: it sets the prototype of that. */
function prototypeKeyIn(value: unknown, path: Path = []): Path | undefined {
  if (typeof value !== 'object' || value === null || path.length > deepest) return undefined
  for (const [key, part] of Object.entries(value)) {
    const found = key === '__proto__' ? [...path, key] : prototypeKeyIn(part, [...path, key])
    if (found) return found
  }
  return undefined
}

/** More levels than a topology has. */
const deepest = 12

/** What a base has and the file does not replace. */
function withBase(given: TopologyFile, document: Document): TopologyFile {
  if (given.base === undefined) return given
  try {
    const base = fileOfTopology(topologyOf(given.base))
    return {
      ...base,
      ...given,
      nets: { ...base.nets, ...given.nets },
      setup: { ...base.setup, ...given.setup },
      ...((base.links || given.links) && { links: { ...base.links, ...given.links } }),
    }
  } catch (failure) {
    throw badTopology(document.place(['base']), messageOf(failure))
  }
}

function settingsIn(
  { nodes, settings = {} }: TopologyFile,
  document: Document,
  file?: string,
): SettingOptions {
  if (settings.topology !== undefined)
    throw badTopology(
      document.place(['settings', 'topology']),
      'a topology file is one; use base to begin from another',
    )
  const text = Object.entries(settings).map(([key, value]) => [
    key,
    typeof value === 'boolean' ? yesNo(value) : value,
  ])
  const options = {
    ...(nodes !== undefined && { nvm: nodes }),
    ...Object.fromEntries(text),
  } as SettingOptions
  try {
    resolveSettings({ options, named: key => document.place(['settings', key]) })
  } catch (failure) {
    throw settingRefused(failure, options, document)
  }
  return file === undefined ? options : withPathsFrom(dirname(file), options)
}

/** The error of a value has its place as its target. An unknown setting is named by the message alone. */
function settingRefused(failure: unknown, options: SettingOptions, document: Document): XclusterError {
  const places = Object.keys(options).map(key => [key, document.place(['settings', key])] as const)
  if (failure instanceof XclusterError && places.some(([, place]) => place === failure.target))
    return badTopology(failure.target!, failure.reason, failure.remedy)
  const [, place] = places.find(([key]) => messageOf(failure).includes(`'${key}'`)) ?? []
  return badTopology(place ?? document.place(['settings']), messageOf(failure))
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no')
