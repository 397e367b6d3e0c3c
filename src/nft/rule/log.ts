import { badValue } from '../errors.ts'
import { take } from '../takes.ts'
import { logDetails as details, type logLevels } from '../words.ts'
import type { Statement } from './draft.ts'

export type LogDetail = keyof typeof details

export interface LogOptions {
  readonly prefix?: string
  /** Sends to the listeners of this nfnetlink group instead of the kernel's log. */
  readonly group?: number
  /** With a group: how many bytes of the packet are sent. */
  readonly snapLength?: number
  /** With a group: how many packets are sent at once. */
  readonly queueThreshold?: number
  readonly level?: (typeof logLevels)[number]
  /** For the kernel's log. `log flags tcp sequence flags skuid` */
  readonly details?: readonly LogDetail[] | 'all'
}

/** Writes a line about the packet to the kernel's log. */
export function log(options: LogOptions = {}): Statement {
  take('build log', options, 'LogOptions')
  const { prefix, group, snapLength, queueThreshold, level } = options
  const flags = detailFlags(options.details)
  if (group !== undefined && (level !== undefined || flags !== 0))
    throw badValue('log', 'log with a group cannot have a level or details')
  if (group === undefined && (snapLength ?? queueThreshold) !== undefined)
    throw badValue('log', 'snapLength and queueThreshold need a group')
  return {
    text: 'log',
    write: rule =>
      rule.add({
        kind: 'log',
        ...(prefix !== undefined && { prefix }),
        ...(group !== undefined && { group }),
        ...(snapLength !== undefined && { snapLength }),
        ...(queueThreshold !== undefined && { queueThreshold }),
        ...(level !== undefined && { level }),
        ...(flags !== 0 && { flags }),
      }),
  }
}

function detailFlags(wanted: LogOptions['details'] = []): number {
  const names = wanted === 'all' ? (Object.keys(details) as LogDetail[]) : wanted
  return names.reduce((all, name) => all | details[name], 0)
}
