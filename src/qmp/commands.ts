import type { QemuVersion } from './wire.ts'

/** The arguments and the result of one command. Arguments that can be undefined may be omitted. */
interface Command<Arguments, Result> {
  readonly arguments: Arguments
  readonly result: Result
}
type Plain<Result = Nothing> = Command<undefined, Result>
type With<Arguments, Result = Nothing> = Command<Arguments, Result>
/** `{}`: the result of a command without one. */
type Nothing = Readonly<Record<string, never>>
/** Options whose names depend on the type of the object. */
type Options = Readonly<Record<string, unknown>>

export type RunState =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo'

export interface StatusInfo {
  readonly running: boolean
  readonly status: RunState
}

export interface MigrationInfo {
  readonly status?: string
  readonly ram?: Readonly<Record<string, number>>
  readonly 'total-time'?: number
  readonly downtime?: number
  readonly 'error-desc'?: string
}

export interface JobInfo {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly 'current-progress': number
  readonly 'total-progress': number
  readonly error?: string
}

/**
 * The monitor commands that this project uses, typed (qemu `qapi/*.json`). Any other can be run too, with an
 * unknown result.
 */
export interface QmpCommands {
  qmp_capabilities: With<{ enable?: readonly string[] } | undefined>
  'query-commands': Plain<readonly { readonly name: string }[]>
  'query-qmp-schema': Plain<readonly Options[]>
  'query-status': Plain<StatusInfo>
  'query-version': Plain<QemuVersion>
  'human-monitor-command': With<{ 'command-line': string; 'cpu-index'?: number }, string>

  cont: Plain
  stop: Plain
  quit: Plain
  system_powerdown: Plain
  system_reset: Plain

  getfd: With<{ fdname: string }>
  closefd: With<{ fdname: string }>

  migrate: With<{ uri: string }>
  migrate_cancel: Plain
  'migrate-incoming': With<{ uri: string }>
  'migrate-set-capabilities': With<{
    capabilities: readonly { capability: string; state: boolean }[]
  }>
  'migrate-set-parameters': With<Options>
  'query-migrate': Plain<MigrationInfo>

  'blockdev-add': With<{ driver: string; 'node-name': string } & Options>
  'blockdev-create': With<{ 'job-id': string; options: { driver: string } & Options }>
  'blockdev-del': With<{ 'node-name': string }>
  'job-cancel': With<{ id: string }>
  'job-complete': With<{ id: string }>
  'job-dismiss': With<{ id: string }>
  'query-jobs': Plain<readonly JobInfo[]>

  'object-add': With<{ 'qom-type': string; id: string } & Options>
  'object-del': With<{ id: string }>
  'qom-get': With<{ path: string; property: string }, unknown>
  'qom-set': With<{ path: string; property: string; value: unknown }>
  device_add: With<{ driver: string; id?: string } & Options>
  device_del: With<{ id: string }>

  'chardev-add': With<{ id: string; backend: { type: string; data: Options } }, { readonly pty?: string }>
  'chardev-remove': With<{ id: string }>
  netdev_add: With<{ type: string; id: string } & Options>
  netdev_del: With<{ id: string }>
  set_link: With<{ name: string; up: boolean }>
}

type Entry<Table, Name> = Name extends keyof Table ? Table[Name] : Command<object | undefined, unknown>

/**
 * The parameters after a command's name: its arguments, which some commands require and some lack, and
 * options.
 */
export type Rest<Table, Name, Options> =
  Entry<Table, Name> extends Command<infer Arguments, unknown>
    ? undefined extends Arguments
      ? [args?: Arguments, options?: Options]
      : [args: Arguments, options?: Options]
    : never

export type ResultOf<Table, Name> = Entry<Table, Name> extends Command<unknown, infer Result> ? Result : never

/** A command's name. Editors offer the known ones; any other is accepted. */
export type NameIn<Table> = (keyof Table & string) | (string & {})
