import { isCollection, isMap, isSeq, type YAMLMap, Document as YamlDocument } from 'yaml'
import type { Topology } from '../plan/index.ts'
import { fileOfTopology } from './form.ts'
import type { TopologyFile } from './schema.ts'

/** Where a package that is installed has the JSON Schema for editors. */
const schemaPath = './node_modules/xcluster/docs/topology.schema.json'
const longestLine = 100

/** The file of a topology. It can be read again, and gives the same topology. */
export function topologyText(topology: Topology): string {
  return fileText(fileOfTopology(topology))
}

/** A topology file, with these lines as comments at its head. */
export function fileText(
  { nets, setup, links, ...head }: TopologyFile,
  comments: readonly string[] = [],
): string {
  const byNet = Object.entries(links ?? {}).map(([key, nets]) => [key, keyed(nets)])
  const document = new YamlDocument({
    ...head,
    nets: keyed(nets),
    setup: keyed(setup),
    ...(links && { links: keyed(Object.fromEntries(byNet)) }),
  })
  for (const { key, value } of itemsOf(document.contents))
    if (!['nets', 'setup', 'links'].includes(`${key}`)) onOneLine(value)
  for (const part of ['nets', 'links']) for (const { value } of itemsOf(document.get(part))) onOneLine(value)
  for (const { value: rule } of itemsOf(document.get('setup')))
    for (const { value: part } of itemsOf(rule)) {
      if (isSeq(part) && part.items.some(isCollection)) part.items.forEach(onOneLine)
      else onOneLine(part)
    }
  const text = document.toString({ lineWidth: longestLine, flowCollectionPadding: true })
  const lines = [`yaml-language-server: $schema=${schemaPath}`, ...comments]
  return `${lines.map(line => `# ${line}\n`).join('')}${text}`
}

/** Roles first, then ranges and nodes. A number is a number in the file, too. */
function keyed(parts: Readonly<Record<string, unknown>> = {}): Map<string | number, unknown> {
  const order = (key: string) => ['vm', 'router', 'tester'].indexOf(key) + 1 || Number.parseInt(key, 10) + 3
  const sorted = Object.entries(parts).sort(([a], [b]) => order(a) - order(b))
  return new Map(sorted.map(([key, part]) => [/^\d+$/.test(key) ? Number(key) : key, part]))
}

function itemsOf(map: unknown): YAMLMap['items'] {
  return isMap(map) ? map.items : []
}

function onOneLine(value: unknown): void {
  if (isCollection(value)) value.flow = true
}
