import type { Counted, Counters, Status } from '../../api/index.ts'
import { systemClock } from '../../base/index.ts'
import { print, printJson } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { readingOf } from '../watch/reading.ts'
import { short } from '../watch/text.ts'
import { table } from './table.ts'

const overMs = 1000

/** What one link or net has carried since the start, and its rates. Directions are those of the node. */
interface LinkStats {
  readonly node: string
  readonly dev: string
  readonly net: number
  readonly sent: Counted
  readonly received?: Counted
  readonly sentBitsPerSecond: number
  readonly receivedBitsPerSecond?: number
}

/** Reads the counters twice, and prints a table of links and one of nets. */
export async function printStats(session: Session, options: CommonOptions): Promise<void> {
  const client = clientOf(session, options)
  const before = await client.counters()
  await new Promise<void>(resolve => systemClock.after(overMs, resolve))
  const [status, after] = await Promise.all([client.status(), client.counters()])
  const stats = linkStats(status, before, after)
  if (options.json) printJson({ v: 1, name: status.name, ...stats })
  else print(statsText(stats))
}

interface Stats {
  readonly links: readonly LinkStats[]
  readonly nets: readonly Pick<LinkStats, 'net' | 'sent' | 'sentBitsPerSecond'>[]
}

/** Pure. A net carries what its nodes send. */
export function linkStats(status: Status, before: Counters, after: Counters): Stats {
  const { nodes, nets } = readingOf(status, before, after)
  const links = after.nodes.flatMap(({ id, nets: own }) => {
    const node = nodes.find(each => each.id === id)
    return own.map(({ net, dev, ...counted }) => {
      const { sentBitsPerSecond = 0, receivedBitsPerSecond } = node?.nets.find(each => each.net === net) ?? {}
      return {
        ...{ node: node?.name ?? String(id), dev, net, ...counted, sentBitsPerSecond },
        ...(receivedBitsPerSecond !== undefined && { receivedBitsPerSecond }),
      }
    })
  })
  return {
    links,
    nets: nets.map(({ net, bitsPerSecond }) => ({
      net,
      sent: sum(links.filter(each => each.net === net)),
      sentBitsPerSecond: bitsPerSecond,
    })),
  }
}

function sum(links: readonly LinkStats[]): Counted {
  const total = (of: (counted: Counted) => number) => links.reduce((all, { sent }) => all + of(sent), 0)
  return {
    frames: total(({ frames }) => frames),
    bytes: total(({ bytes }) => bytes),
    dropped: total(({ dropped = 0 }) => dropped),
  }
}

function statsText({ links, nets }: Stats): string {
  const header = ['node', 'dev', 'net', ...columns('sent'), ...columns('received')]
  const rows = links.map(({ node, dev, net, sent, received, ...rates }) => [
    ...[node, dev, String(net)],
    ...cells(sent, rates.sentBitsPerSecond),
    ...cells(received, rates.receivedBitsPerSecond),
  ])
  const ofNets = nets.map(({ net, sent, sentBitsPerSecond }) => [
    String(net),
    ...cells(sent, sentBitsPerSecond),
  ])
  return `${table(header, rows)}\n${table(['net', ...columns('carried')], ofNets)}`
}

const columns = (what: string): string[] => [what, 'frames', 'dropped', 'bit/s'].map(each => each.padStart(8))

function cells(counted: Counted | undefined, bitsPerSecond: number | undefined): string[] {
  const cell = (value: number | undefined) => (value === undefined ? '-' : short(value)).padStart(8)
  return [counted?.bytes, counted?.frames, counted?.dropped, bitsPerSecond].map(cell)
}
