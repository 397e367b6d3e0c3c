import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import type { z } from 'zod'
import { messageOf, reasonOf, systemClock, within } from '../base/index.ts'
import {
  resolveSettings,
  type SettingOptions,
  type Topology,
  topologyOf,
  withPathsFrom,
} from '../plan/index.ts'
import { checkTopology } from './check.ts'
import { type Document, moduleDocument, parseYaml } from './document.ts'
import { badTopology } from './errors.ts'
import { fileOfTopology, topologyOfFile } from './form.ts'
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
  try {
    if (!statSync(file).isFile()) throw badTopology(path, 'it is not a file')
    if (!modules.includes(extname(file))) return parseYaml(path, await readFile(file, 'utf8'))
  } catch (failure) {
    if ((failure as { code?: string }).code === 'BAD_TOPOLOGY') throw failure
    throw badTopology(path, reasonOf(failure), 'Give the path of a topology file, or the name of a topology')
  }
  return moduleDocument(path, await defaultExport(path, file))
}

const longestLoadMs = 10_000
const neverLoaded = () =>
  new Error('it has not loaded within 10 s: something that it waits for does not come')

async function defaultExport(path: string, file: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  try {
    const { import: load } = createJiti(file, { fsCache: false, moduleCache: false })
    const loading = load<{ default?: unknown }>(file)
    const loaded = await within(loading, { clock: systemClock, ms: longestLoadMs, late: neverLoaded })
    return loaded.default
  } catch (failure) {
    throw badTopology(path, messageOf(failure).split('\n')[0]!)
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
  const { data, error } = fileSchema.safeParse(document.value)
  if (data) return data
  const { path, reason } = problemOf(error.issues[0]!)
  throw badTopology(document.place(path), reason, 'docs/topologies.md says what a file may have')
}

/** The first problem in words. Of a value that can have several forms, that of the form which fits best. */
function problemOf(issue: z.core.$ZodIssue): { readonly path: PropertyKey[]; readonly reason: string } {
  const { path } = issue
  if (issue.code === 'unrecognized_keys')
    return { path: [...path, issue.keys[0]!], reason: 'there is no such key' }
  if (issue.code === 'invalid_key')
    return { path: [...path], reason: issue.issues[0]?.message ?? issue.message }
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.filter(each => each.length > 0).sort((a, b) => depth(b) - depth(a))[0]
    if (nearest && depth(nearest) > 0) {
      const inner = problemOf(nearest[0]!)
      return { path: [...path, ...inner.path], reason: inner.reason }
    }
  }
  return { path: [...path], reason: issue.message }
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  const [{ path, code }] = [issues[0]!]
  return path.length + (code === 'unrecognized_keys' ? 1 : 0)
}

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
    throw badTopology(placeOf(failure, options, document), messageOf(failure))
  }
  return file === undefined ? options : withPathsFrom(dirname(file), options)
}

/** An unknown setting is named by the message alone. */
function placeOf(failure: unknown, options: SettingOptions, document: Document): string {
  const key = Object.keys(options).find(each => messageOf(failure).includes(`'${each}'`))
  return document.place(key === undefined ? ['settings'] : ['settings', key])
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no')
