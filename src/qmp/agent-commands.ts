type Command<Arguments, Result = Readonly<Record<string, never>>> = {
  readonly arguments: Arguments
  readonly result: Result
}

export interface GuestExecArguments {
  readonly path: string
  readonly arg?: readonly string[]
  readonly env?: readonly string[]
  /** Base64. */
  readonly 'input-data'?: string
  readonly 'capture-output'?: boolean
}

export interface GuestExecStatus {
  readonly exited: boolean
  readonly exitcode?: number
  readonly signal?: number
  /** Base64 of at most 16 MiB each; the agent discards the rest. */
  readonly 'out-data'?: string
  readonly 'err-data'?: string
  readonly 'out-truncated'?: boolean
  readonly 'err-truncated'?: boolean
}

export interface GuestInfo {
  readonly version: string
  readonly supported_commands: readonly { readonly name: string; readonly enabled: boolean }[]
}

/**
 * The guest agent's commands that this project uses, typed (qemu `qga/qapi-schema.json`). Any other can be
 * run too.
 */
export interface AgentCommands {
  'guest-ping': Command<undefined>
  'guest-info': Command<undefined, GuestInfo>
  'guest-sync': Command<{ id: number }, number>
  'guest-sync-delimited': Command<{ id: number }, number>
  'guest-exec': Command<GuestExecArguments, { readonly pid: number }>
  'guest-exec-status': Command<{ pid: number }, GuestExecStatus>
  'guest-get-time': Command<undefined, number>
  /** Nanoseconds since 1970. Without it the guest reads its hardware clock. */
  'guest-set-time': Command<{ time?: number } | undefined>
  'guest-network-get-interfaces': Command<undefined, readonly Readonly<Record<string, unknown>>[]>
}
