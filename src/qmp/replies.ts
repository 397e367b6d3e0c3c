import { type Shape, shape } from '../base/index.ts'
import { QmpError } from './errors.ts'

/** The shapes of the results of commands, by their names. A command that is not here may have any result. */
export type Replies = Readonly<Record<string, Shape>>

const anything = shape.record({})

/** Those that this project relies on (qemu `qapi/*.json`). */
export const monitorReplies: Replies = {
  'query-status': shape.record({ running: shape.flag, status: shape.text }),
  'query-version': shape.record({
    qemu: shape.record({ major: shape.count, minor: shape.count, micro: shape.count }),
    package: shape.text,
  }),
  'query-commands': shape.list(shape.record({ name: shape.text })),
  'query-qmp-schema': shape.list(anything),
  'query-migrate': shape.record({}, { status: shape.text, 'error-desc': shape.text }),
  'query-migrate-capabilities': shape.list(shape.record({ capability: shape.text, state: shape.flag })),
  'query-jobs': shape.list(
    shape.record({ id: shape.text, type: shape.text, status: shape.text }, { error: shape.text }),
  ),
  'human-monitor-command': shape.text,
  'chardev-add': shape.record({}, { pty: shape.text }),
}

/** The same of the guest agent (qemu `qga/qapi-schema.json`). */
export const agentReplies: Replies = {
  'guest-info': shape.record({
    version: shape.text,
    supported_commands: shape.list(shape.record({ name: shape.text, enabled: shape.flag })),
  }),
  'guest-sync': shape.integer,
  'guest-sync-delimited': shape.integer,
  'guest-exec': shape.record({ pid: shape.count }),
  'guest-exec-status': shape.record(
    { exited: shape.flag },
    {
      exitcode: shape.whole,
      signal: shape.count,
      'out-data': shape.text,
      'err-data': shape.text,
      'out-truncated': shape.flag,
      'err-truncated': shape.flag,
    },
  ),
  'guest-get-time': shape.integer,
  'guest-network-get-interfaces': shape.list(anything),
}

/** The result of a command as it must be. Throws BAD_REPLY with what is wrong with it. */
export function checkedReply(value: unknown, { command, peer, replies }: Replied): unknown {
  const check = Object.hasOwn(replies, command) ? replies[command] : undefined
  const wrong = check?.(value, 'return')
  if (wrong !== undefined) throw badReply(command, peer, wrong)
  return value
}

export interface Replied {
  readonly command: string
  readonly peer: string
  readonly replies: Replies
}

/** A reply that the protocol does not allow. The command may have taken effect. */
export function badReply(command: string, target: string, wrong: string): QmpError {
  const reason = `its reply is wrong: ${wrong}`
  return new QmpError({ code: 'BAD_REPLY', target, command, outcome: 'unknown', reason })
}
