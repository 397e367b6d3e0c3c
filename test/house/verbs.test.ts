import { describe, expect, test } from 'vitest'
import { isStream, nodeIn, upgradeProtocol, type Verb, verbs } from '../../src/api/index.ts'
import { commands } from '../../src/cli/commands.ts'
import { readText } from './project.ts'

// Compares the pages about verbs and commands with the tables in the source.

const all: readonly Verb[] = Object.values(verbs)

/** The first cells of the table whose header begins with `header`, without the header. */
function firstCells(page: string, header: string): string[] {
  const [, table = ''] = page.split(`\n| ${header} |`)
  const rows = table.split('\n\n')[0]!.split('\n').slice(2)
  return rows.map(row => row.split(' | ')[0]!.replace(/^\| /, ''))
}

/** `` `POST /v1/scaleout` with `{"nodes", "wait"?}` `` */
function requestText(verb: Verb): string {
  const { method, path, asks, answer } = verb
  const others = Object.entries(asks).filter(([name]) => name !== nodeIn(asks))
  const fields = others.map(([name, { optional }]) => `"${name}"${optional ? '?' : ''}`).join(', ')
  const query = others.map(([name]) => `?${name}`).join('')
  const asked = method === 'GET' ? query : fields && `{${fields}}`
  const what = answer === 'upgrade' ? `Upgrade: ${upgradeProtocol(verb)}` : asked
  return `\`${method} ${path.replace(':id', 'ID')}\`${what && ` with \`${what}\``}`
}

/** The commands in cells such as `` `xc start` (`starts`) `` and `` `xc nsadd I`, `xc nsadd-docker I` ``. */
function commandsIn(cells: readonly string[]): string[] {
  return cells.flatMap(cell =>
    Array.from(cell.matchAll(/`xc ([\w-]+)|\(`([\w-]+)`\)/g), ([, name, alias]) => (name ?? alias)!),
  )
}

describe('docs/api.md', () => {
  test('has a row for each verb, with all its parameters', () => {
    const rows = firstCells(readText('docs/api.md'), 'request')
    expect(rows).toEqual([...all.map(requestText), '`GET /v1/openapi.json`'])
  })
})

describe('docs/cli.md', () => {
  test('has each command once', () => {
    const named = commandsIn(firstCells(readText('docs/cli.md'), 'command'))
    const known = commands.flatMap(({ name, alias }) => (alias ? [name, alias] : [name]))
    expect(named.toSorted()).toEqual(known.toSorted())
  })
})

describe('docs/json.md', () => {
  test('has the JSON value of each command for a verb', () => {
    const headings = readText('docs/json.md')
      .match(/^## .*$/gm)!
      .flatMap(line => line.slice(3).split(', '))
    const printing = commands.filter(({ verb }) => verb && !isStream(verb.answer))
    expect(printing.length).toBeGreaterThan(7)
    expect(printing.filter(({ name }) => !headings.includes(`xc ${name}`))).toEqual([])
  })
})

describe('docs/errors.md', () => {
  test('has a row for each error code of a verb', () => {
    const rows = readText('docs/errors.md').match(/^\| [A-Z][A-Z0-9_]+ \|/gm)!
    const codes = new Set(all.flatMap(({ errors }) => errors))
    expect(codes.size).toBeGreaterThan(10)
    expect([...codes].filter(code => !rows.includes(`| ${code} |`))).toEqual([])
  })
})

test('the tables of the pages and the requests of verbs are read correctly', () => {
  const page =
    'x\n\n| request | answer |\n|---|---|\n| `GET /a` | b |\n| `xc c D`, `xc e-f` (`g`) | h |\n\ny | z'
  expect(firstCells(page, 'request')).toEqual(['`GET /a`', '`xc c D`, `xc e-f` (`g`)'])
  expect(commandsIn(firstCells(page, 'request'))).toEqual(['c', 'e-f', 'g'])
  expect(requestText(verbs.scaleout)).toBe('`POST /v1/scaleout` with `{"nodes", "wait"?}`')
  expect(requestText(verbs.log)).toBe('`GET /v1/nodes/ID/log` with `?follow`')
  expect(requestText(verbs.stop)).toBe('`POST /v1/stop`')
})
