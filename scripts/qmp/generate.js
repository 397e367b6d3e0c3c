#!/usr/bin/env node
// @ts-check
/**
 * Writes the types of `src/qmp/generated` from the schemas in `scripts/qmp/schemas`.
 *
 * node scripts/qmp/generate.js
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { mergeSchemas } from './merge.js'
import { printSchema } from './print.js'

/** The versions whose schemas are here, from the oldest to the newest. */
export const versions = ['7.2', '10.0', '11.1']

/** @param {'qemu' | 'agent'} peer @param {string} version */
export const schemaFile = (peer, version) =>
  fileURLToPath(new URL(`schemas/${peer}-${version}.json`, import.meta.url))

/** @param {'qemu' | 'agent'} peer @param {string} version */
export function readSchema(peer, version) {
  /** @type {import('./schema.js').Schema} */
  const schema = JSON.parse(readFileSync(schemaFile(peer, version), 'utf8'))
  return { version, schema }
}

/** Every generated file, as it must be: its name and its text. */
export function generate() {
  const qemu = versions.map(version => readSchema('qemu', version))
  const agent = versions.map(version => readSchema('agent', version))
  const each = `${versions.slice(0, -1).join(', ')} and ${versions.at(-1)}`
  const files = qemu.map(one => {
    const text = printSchema(mergeSchemas([one]), { source: `QEMU ${one.version}` })
    return /** @type {const} */ ([`qemu-${one.version}.ts`, text])
  })
  return new Map([
    ['qemu.ts', printSchema(mergeSchemas(qemu), { source: `QEMU ${each}` })],
    ['agent.ts', printSchema(mergeSchemas(agent), { source: `qemu-ga ${each}` })],
    ...files,
  ])
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = new URL('../../src/qmp/generated/', import.meta.url)
  for (const [name, text] of generate()) writeFileSync(new URL(name, folder), text)
}
