#!/usr/bin/env node
// @ts-check
/**
 * Writes the schemas of `scripts/qmp/schemas` anew from Debian's packages of QEMU: 75 MB to download.
 *
 * node scripts/qmp/fetch.js
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { SuiteApt } from '../ground/apt.js'
import { command, FetchError } from '../setup/command.js'
import { readSchema, schemaFile } from './generate.js'
import { schemaOfManual } from './manual.js'
import { parseQapi, readQapi } from './qapi.js'
import { schemaOf } from './schema.js'

/** @typedef {{ folder: string, apt: SuiteApt, suite: string, version: string }} Fetch */

/** From the sources of QEMU. @param {Fetch} fetch */
async function fromSources({ folder, apt, suite, version }) {
  await apt.update(suite, 'deb-src')
  await apt.downloadSource('qemu')
  const archive = await fileOf(folder, `qemu_${version}`, '.orig.tar.xz')
  const parts = ['--wildcards', '*/qapi/*.json', '*/qga/qapi-schema.json']
  await command('tar', ['-xf', archive, '-C', folder, '--strip-components=1', ...parts])
  await writeSchema('qemu', version, schemaOf(readQapi(join(folder, 'qapi/qapi-schema.json'))))
  await writeSchema('agent', version, schemaOf(readQapi(join(folder, 'qga/qapi-schema.json'))))
}

/** From the manuals in the packages, which are there when a mirror has lost the sources. @param {Fetch} fetch */
async function fromManuals({ folder, apt, suite, version }) {
  await apt.update(suite)
  for (const name of ['qemu-system-common', 'qemu-guest-agent']) {
    await apt.downloadAlone(name)
    const file = await fileOf(folder, `${name}_1%3a${version}`, '.deb')
    await command('dpkg-deb', ['-x', file, folder])
  }
  const text = (/** @type {string} */ path) => gunzipSync(readFileSync(join(folder, path))).toString()
  const manual = text('usr/share/man/man7/qemu-qmp-ref.7.gz')
  await writeSchema('qemu', version, schemaOfManual(manual, readSchema('qemu', '10.0').schema))
  const agent = parseQapi(text('usr/share/doc/qemu-guest-agent/qapi-schema.json.gz'))
  await writeSchema(
    'agent',
    version,
    schemaOf(agent.map(each => ({ ...each, file: 'qga/qapi-schema.json' }))),
  )
}

/** @param {string} folder @param {string} start @param {string} end */
async function fileOf(folder, start, end) {
  const name = (await readdir(folder)).find(each => each.startsWith(start) && each.endsWith(end))
  if (name) return join(folder, name)
  throw new FetchError(`Debian has no ${start}…${end} any more: change the versions in scripts/qmp.`)
}

/** One definition a line. */
async function writeSchema(
  /** @type {'qemu' | 'agent'} */ peer,
  /** @type {string} */ version,
  /** @type {import('./schema.js').Schema} */ schema,
) {
  const parts = Object.entries(schema).map(([part, all]) => {
    const lines = Object.entries(all).map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(one)}`)
    return `${JSON.stringify(part)}: {\n${lines.join(',\n')}\n}`
  })
  await writeFile(schemaFile(peer, version), `{\n${parts.join(',\n')}\n}\n`)
}

const all = [
  { suite: 'bookworm', version: '7.2', from: fromSources },
  { suite: 'trixie', version: '10.0', from: fromSources },
  { suite: 'sid', version: '11.1', from: fromManuals },
]
for (const { from, ...one } of all) {
  console.error(`${one.suite}: fetching the schema of QEMU ${one.version}`)
  const folder = await mkdtemp(join(tmpdir(), 'xcluster-qapi-'))
  try {
    await from({ ...one, folder, apt: new SuiteApt({ folder, signal: AbortSignal.timeout(600_000) }) })
  } finally {
    await rm(folder, { recursive: true })
  }
}
